"""The main module of the worker that brings keys to API Shield; `jwks_sync` has what it does."""

from jwks_sync import Default

__all__ = ["Default"]
