"""Changes to courses: enrolment, progress, authoring."""
