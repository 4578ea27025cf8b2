"""What the room reports adds to the house."""
