"""KV namespaces."""
