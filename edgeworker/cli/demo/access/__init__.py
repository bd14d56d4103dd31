"""`edgeworker demo --access`."""
