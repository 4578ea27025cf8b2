"""Changes of sellers, tax rows and invoices."""
