"""Cost recovery: what came in beside what learners reached and what it cost."""
