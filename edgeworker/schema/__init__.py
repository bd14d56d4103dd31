"""How configuration is described: fields with their checks, and what is said about mistakes. Pure."""
