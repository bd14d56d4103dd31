"""Durable control-plane state, in `state.sqlite` of the data directory."""

from edgeworker.state.api_tokens import FILE_NAME, ApiToken, ApiTokens

__all__ = ["FILE_NAME", "ApiToken", "ApiTokens"]
