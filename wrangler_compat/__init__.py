"""Translates Cloudflare's paper (wrangler.toml, the v4 REST API) into the core types of edgeworker."""
