"""Catalogue, courses and their runs, modules, activities, enrolment, completion, packages."""
