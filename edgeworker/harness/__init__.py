"""Puts an edge together from configuration or from Python values."""
