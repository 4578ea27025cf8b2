"""What the room payments adds to the house."""
