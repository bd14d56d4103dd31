"""The worker's own static assets."""
