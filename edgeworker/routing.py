"""Route patterns and which one wins. Pure."""
