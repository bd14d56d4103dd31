"""One edge: from a configuration to a chain of handlers that answers any URL."""
