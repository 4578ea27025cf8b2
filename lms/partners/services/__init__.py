"""What changes agreements, shares and statements."""
