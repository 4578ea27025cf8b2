"""What the room certificates adds to the house."""
