"""Translates Cloudflare's paper (wrangler.toml, the v4 REST API) into the core types of edgeworker."""

from wrangler_compat.load import Loaded, LoadOptions, load

__all__ = ["LoadOptions", "Loaded", "load"]
