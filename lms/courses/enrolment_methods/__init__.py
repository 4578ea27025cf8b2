"""Ways into a course run."""
