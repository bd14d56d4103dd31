"""Other workers of the same edge."""
