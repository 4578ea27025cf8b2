"""What the room directory adds to the house."""
