"""Puts an edge together and keeps it running."""
