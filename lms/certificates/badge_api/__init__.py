"""Exchange with wallets and other sites of a holder: Open Badges 3.0 API, with OAuth 2.0.

Clients register by themselves; a holder connects one, sees what it did last, and can end it.
"""
