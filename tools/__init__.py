"""What dev.py does: set-up, commands, tests. Standard library only, no part of the product."""
