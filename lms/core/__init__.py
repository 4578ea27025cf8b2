"""The floor of the house, without any domain: database, clock, money, events, outbox, files."""
