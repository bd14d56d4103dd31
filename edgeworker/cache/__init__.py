"""The Cache API: what may be kept, for how long, and where it is kept."""
