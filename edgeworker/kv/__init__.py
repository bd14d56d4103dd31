"""KV: what it allows, what a worker sees, where it is kept."""
