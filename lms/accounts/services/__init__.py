"""What changes accounts: one function per use case."""
