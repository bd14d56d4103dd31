"""Folds a configuration into a chain of handlers."""
