"""What one person pays: tiers by income, stored amounts, reductions, quotes."""
