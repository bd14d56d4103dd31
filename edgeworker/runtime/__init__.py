"""Isolates: loaded scripts."""
