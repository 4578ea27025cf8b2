"""What is done with certificates: keys, issue, status, revocation, verification."""
