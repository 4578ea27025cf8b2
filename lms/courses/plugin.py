"""What the room courses adds to the house."""
