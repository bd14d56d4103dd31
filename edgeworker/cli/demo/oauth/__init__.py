"""`edgeworker demo --oauth`: the whole flow, from a new project to a revoked token."""
