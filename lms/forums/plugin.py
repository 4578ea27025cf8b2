"""What the room forums adds to the house."""
