"""What the room notifications adds to the house."""
