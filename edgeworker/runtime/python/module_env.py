"""`workers.env`: the worker's env, importable at the top of a script, and `patch_env` for its tests."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from edgeworker.runtime.contract.env import Env

_NONE: Final[Mapping[str, object]] = {}


class ModuleEnv:
    """Reads the worker's env, unless it is patched."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._patch: ContextVar[Mapping[str, object]] = ContextVar("patch_env", default=_NONE)

    @contextmanager
    def patched(self, values: object = None, **more: object) -> Iterator[None]:
        """`with patch_env({"KEY": value})`, or pairs, or keywords: for what runs inside, and nothing else."""
        given = dict(values) if isinstance(values, Mapping | list | tuple) else {}
        token = self._patch.set({**self._patch.get(), **given, **more})
        try:
            yield
        finally:
            self._patch.reset(token)

    def __getattr__(self, name: str) -> object:
        patch = self._patch.get()
        if name in patch:
            return patch[name]
        return getattr(self._env, name)

    def __dir__(self) -> list[str]:
        return sorted({*self._env, *self._patch.get()})

    def __repr__(self) -> str:
        return f"Env({', '.join(dir(self))})"
