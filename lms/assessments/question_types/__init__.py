"""Kinds of question: base.py says what each must offer, one file per kind."""
