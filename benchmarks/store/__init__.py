"""How fast the record store takes and gives statements, beside bare rows in the same database."""
