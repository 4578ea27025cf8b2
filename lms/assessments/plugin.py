"""What the room assessments adds to the house."""
