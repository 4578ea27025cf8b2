"""Courses as folders of files: reading and writing them."""
