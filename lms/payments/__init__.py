"""Orders, payments, vouchers, refunds and the gateways that take the money."""
