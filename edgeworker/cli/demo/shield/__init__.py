"""`edgeworker demo --shield`: API Shield in front of an API, from the first token to a rotated key."""
