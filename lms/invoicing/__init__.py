"""Sellers, tax by dated rows, invoices and credit notes that never change."""
