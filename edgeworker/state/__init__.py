"""Durable control-plane state, in `state.sqlite` of the data directory."""

from edgeworker.state.api_tokens import FILE_NAME, ApiToken, ApiTokens
from edgeworker.state.atoms import Atom, Atoms, MemoryAtoms, SQLiteAtoms

__all__ = ["FILE_NAME", "ApiToken", "ApiTokens", "Atom", "Atoms", "MemoryAtoms", "SQLiteAtoms"]
