"""Reads of courses. get_* raises NotFound, find_* may return None, list_* returns a select."""
