"""`workers.env`: the worker's env, importable at the top of a script, and `patch_env` for its tests."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from edgeworker.runtime.contract.env import Env

_NONE: Final[Mapping[str, object]] = {}


class ModuleEnv:
    """Reads the env that the worker was given; before that, at the top level of a script, only with `load(env=...)`."""

    def __init__(self, worker: str, env: Env | None) -> None:
        self._worker = worker
        self._env = env
        self._patch: ContextVar[Mapping[str, object]] = ContextVar("patch_env", default=_NONE)

    def bind(self, env: Env) -> None:
        self._env = env

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
        if self._env is None:
            raise AttributeError(
                f'worker "{self._worker}": env.{name} cannot be read before the script is loaded; read it in a handler',
                name=name,
                obj=self,
            )
        return getattr(self._env, name)

    def __dir__(self) -> list[str]:
        return sorted({*(self._env or ()), *self._patch.get()})

    def __repr__(self) -> str:
        return f"Env({', '.join(dir(self))})"
