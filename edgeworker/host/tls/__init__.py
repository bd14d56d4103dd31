"""Certificates of the local authority, and TLS contexts that follow their files."""
