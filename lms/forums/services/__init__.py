"""What people and instructors do in forums."""
