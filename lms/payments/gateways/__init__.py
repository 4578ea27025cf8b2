"""Ways to pay, one file each."""
