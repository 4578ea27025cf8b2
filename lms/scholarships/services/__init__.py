"""Changes to funds, applications and awards."""
