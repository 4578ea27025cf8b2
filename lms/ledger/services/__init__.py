"""What is done to the ledger: posting, counting, closing, checking, exporting."""
