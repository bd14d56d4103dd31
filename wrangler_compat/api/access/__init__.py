"""Cloudflare Access over the v4 API."""
