"""Changes: attempts, grades, the question bank."""
