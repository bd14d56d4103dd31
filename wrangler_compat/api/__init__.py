"""Cloudflare's v4 REST API, as far as an edge has what it is about."""

from wrangler_compat.api.auth import Authenticator, NamedTokens, OneToken, TokenVerifier
from wrangler_compat.api.v4 import ROOT, V4Api

__all__ = ["ROOT", "Authenticator", "NamedTokens", "OneToken", "TokenVerifier", "V4Api"]
