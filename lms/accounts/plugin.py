"""What the room accounts adds to the house."""
