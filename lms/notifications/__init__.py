"""What to tell whom, on which channel."""
