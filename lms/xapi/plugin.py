"""What the room xapi adds to the house."""
