"""Double entry: what every amount is owed for, earned by and kept in. Nothing ever changes."""
