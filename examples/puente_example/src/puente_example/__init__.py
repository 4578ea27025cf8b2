"""An example plugin for Puente: a question type and a report."""
