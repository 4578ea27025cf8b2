"""People: users, sign-in, profile, permissions, the download and closing of an account."""
