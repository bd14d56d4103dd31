"""Publishes into the edge that runs here: keep, try, deploy, and wait until every process serves it."""

import asyncio
import fcntl
import hashlib
import logging
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from edgeworker.clock import Clock
from edgeworker.errors import StoreError
from edgeworker.files import make_folder, open_or_create
from edgeworker.host.served_generations import ServedGenerations
from edgeworker.publishing import (
    InvalidArchive,
    Publication,
    PublishedIndex,
    PublishedWorker,
    PublishRefused,
    VersionStore,
    WorkerDeployment,
    WorkerVersion,
)

_log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 60.0
_LOCK: Final = ".publishing"


@dataclass(frozen=True, slots=True)
class TriedVersion:
    """What a trial found: `error` is why the edge would not run, None if it would; `warnings` are about the version."""

    error: str | None = None
    warnings: tuple[str, ...] = ()


# Tries the edge with this version of this worker (None: the configuration's own).
Trial = Callable[[str, WorkerVersion | None], Awaitable[TriedVersion]]


@dataclass(frozen=True, slots=True)
class EdgePublisher:
    """What `serve` publishes with. Of all processes one publishes at a time: what is tried is what will be served."""

    store: VersionStore
    served: ServedGenerations
    try_version: Trial
    clock: Clock

    def index(self) -> PublishedIndex:
        return self.store.read()

    async def publish(
        self, name: str, archive: bytes, *, config: str, env: str | None, author: str, message: str
    ) -> Publication:
        def version(number: int) -> WorkerVersion:
            made = str(uuid.uuid4())
            sha256 = hashlib.sha256(archive).hexdigest()
            return WorkerVersion(made, number, self.clock.now(), author, message, config, env, len(archive), sha256)

        async with self._alone():
            kept = await asyncio.to_thread(self.store.add, name, archive, version)
            try:
                try:
                    await asyncio.to_thread(self.store.project, name, kept)
                except InvalidArchive as error:
                    raise PublishRefused(f"the archive of {name}: {error}") from None
                return await self._deploy(name, kept, author, message)
            except BaseException:
                if (deployed := self.store.read().worker(name).deployed) is None or deployed.id != kept.id:
                    self.store.forget(name, kept)
                raise

    async def deploy(self, name: str, number: int | None, *, author: str, message: str) -> Publication:
        async with self._alone():
            worker = self._known(name)
            if number is None:
                return await self._deploy(name, worker.before(), author, message)
            version = worker.numbered(number)
            if version is None:
                there = ", ".join(str(one.number) for one in worker.versions)
                raise PublishRefused(f"{name} has no version {number}; there are: {there}", missing=True)
            return await self._deploy(name, version, author, message)

    async def withdraw(self, name: str, *, author: str, message: str) -> Publication:
        async with self._alone():
            self._known(name)
            return await self._deploy(name, None, author, message)

    def _known(self, name: str) -> PublishedWorker:
        index = self.store.read()
        if name not in index.workers or not index.workers[name].versions:
            known = ", ".join(index.workers) or "none yet"
            raise PublishRefused(
                f"no version of a worker {name} was published here; published were: {known}", missing=True
            )
        return index.workers[name]

    async def _deploy(self, name: str, version: WorkerVersion | None, author: str, message: str) -> Publication:
        what = "the configuration's own worker" if version is None else f"version {version.number}"
        tried = await self.try_version(name, version)
        if tried.error is not None:
            raise PublishRefused(f"{name} was not changed, because with {what} the edge would not run:\n{tried.error}")
        before = self.store.read().worker(name).deployed
        index = await self._put(name, version, author, message)
        _log.info("%s: %s is deployed by %s", name, what, author)
        return replace(await self._until_served(index, name, before, author), warnings=tried.warnings)

    async def _put(self, name: str, version: WorkerVersion | None, author: str, message: str) -> PublishedIndex:
        """In a thread, because it waits for the disk. If its client leaves meanwhile, it ends first: what was deployed
        decides whether the version is kept.
        """
        deployment = WorkerDeployment(None if version is None else version.id, self.clock.now(), author, message)
        deploying = asyncio.ensure_future(asyncio.to_thread(self.store.deploy, name, deployment))
        try:
            return await asyncio.shield(deploying)
        except asyncio.CancelledError:
            await asyncio.wait([deploying])
            raise

    async def _until_served(
        self, index: PublishedIndex, name: str, before: WorkerVersion | None, author: str
    ) -> Publication:
        """A process that cannot serve it puts the version before in its place again, in all of them."""
        wanted = index.generation
        deadline = self.clock.monotonic() + _LONGEST_WAIT_SECONDS
        while True:
            serving = self.served.read()
            if refused := next((one for one in serving if one.refused >= wanted), None):
                await self._put(name, before, author, "the version before, because the new one could not be served")
                raise PublishRefused(
                    f"{name}: a process could not serve it, so the version before stays:\n{refused.error}"
                )
            ready = sum(one.generation >= wanted for one in serving)
            if ready == len(serving) or self.clock.monotonic() >= deadline:
                return Publication(index.worker(name), ready, len(serving))
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """The lock ends with the process that holds it."""
        try:
            make_folder(self.store.folder)
            lock = open_or_create(self.store.folder / _LOCK)
        except OSError as error:
            raise StoreError(f"{self.store.folder}: cannot be used: {error.strerror}") from error
        try:
            deadline = self.clock.monotonic() + _LONGEST_WAIT_SECONDS
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if self.clock.monotonic() >= deadline:
                        raise PublishRefused("another publication is under way; try again when it has ended") from None
                await asyncio.sleep(LOOK_EVERY_SECONDS)
            yield
        finally:
            os.close(lock)
