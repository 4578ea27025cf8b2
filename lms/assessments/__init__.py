"""Quizzes: question bank, attempts, grading, results and gradebook."""
