"""What the ledger, the courses and the certificates tell about cost recovery."""
