"""The main module of the split-token gateway; `gateway` has what it does."""

from gateway import Default

__all__ = ["Default"]
