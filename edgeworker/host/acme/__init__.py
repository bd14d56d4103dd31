"""Certificates from an authority that speaks ACME (RFC 8555): ordered, proved over http (HTTP-01), renewed."""
