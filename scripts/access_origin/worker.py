"""The main module of the origin; `protected_origin` has what it does."""

from protected_origin import Default

__all__ = ["Default"]
