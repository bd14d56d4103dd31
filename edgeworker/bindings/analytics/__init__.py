"""Datasets of Analytics Engine."""
