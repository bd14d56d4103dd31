"""Which engine runs a JavaScript worker."""
