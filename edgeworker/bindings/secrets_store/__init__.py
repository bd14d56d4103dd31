"""Secrets of the Secrets Store."""
