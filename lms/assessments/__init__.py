"""Questions, quizzes, attempts and grades."""
