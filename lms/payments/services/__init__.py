"""Changes of orders, payments, refunds, vouchers and receipts."""
