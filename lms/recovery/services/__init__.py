"""What people do about costs and decisions."""
