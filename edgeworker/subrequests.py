"""Where a worker's fetch() goes."""
