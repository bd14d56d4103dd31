"""The isolate of a worker that has only static assets."""

from collections.abc import Collection, Mapping, Sequence
from typing import Never

from edgeworker.errors import ScriptError
from edgeworker.handler import Context
from edgeworker.messages import Request, Response
from edgeworker.runtime.contract.isolate import Scheduled


class NoScript:
    """An Isolate that handles nothing: the assets have answered before."""

    def __init__(self, worker: str) -> None:
        self._worker = worker

    async def open(self) -> None:
        """There is nothing to wait for."""

    async def fetch(self, request: Request, ctx: Context, entrypoint: str | None = None) -> Response:
        self._refuse()

    async def scheduled(self, event: Scheduled, ctx: Context) -> None:
        self._refuse()

    async def call(
        self,
        method: str,
        args: Sequence[object],
        options: Mapping[str, object],
        ctx: Context,
        entrypoint: str | None = None,
    ) -> object:
        self._refuse()

    def entrypoints(self) -> Collection[str]:
        return ()

    def handles(self, event: str) -> bool:
        return False

    def describe(self, error: BaseException) -> str:
        return str(error)

    async def close(self) -> None:
        pass

    def _refuse(self) -> Never:
        raise ScriptError(f'worker "{self._worker}" has only static assets and no script: set its "main"')
