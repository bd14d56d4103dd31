"""The main module of the API; `api` has what it does."""

from api import Default

__all__ = ["Default"]
