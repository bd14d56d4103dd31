"""Translates Cloudflare's paper (wrangler.toml, the v4 REST API) into the core types of edgeworker."""

from wrangler_compat.load import LoadOptions, load
from wrangler_compat.loaded import Loaded

__all__ = ["LoadOptions", "Loaded", "load"]
