"""What the REST API asks of the edge that it stands in front of: publish, deploy, tell."""

from dataclasses import dataclass
from typing import Protocol

from edgeworker.errors import EdgeworkerError
from edgeworker.publishing.versions import PublishedIndex, PublishedWorker


class PublishRefused(EdgeworkerError):
    """Nothing has changed: the project is broken, conflicts with what is served, or another publication is under way.

    `missing`: there is no such worker or version.
    """

    def __init__(self, text: str, *, missing: bool = False) -> None:
        super().__init__(text)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Publication:
    """What is served now. `processes` serve it, of `all_processes`: the others follow as soon as they can. `warnings`
    are about what is served: a secret that it requires and the edge does not have."""

    worker: PublishedWorker
    processes: int
    all_processes: int
    warnings: tuple[str, ...] = ()


class WorkerPublisher(Protocol):
    def index(self) -> PublishedIndex:
        """Raises StoreError."""
        ...

    async def publish(
        self, name: str, archive: bytes, *, config: str, env: str | None, author: str, message: str
    ) -> Publication:
        """Keeps the project as a version, tries it in a process of its own, and serves it in every process.

        Raises PublishRefused, and StoreError.
        """
        ...

    async def deploy(self, name: str, number: int | None, *, author: str, message: str) -> Publication:
        """Serves a kept version again; None: what was served before the current one.

        Raises PublishRefused, and StoreError.
        """
        ...

    async def withdraw(self, name: str, *, author: str, message: str) -> Publication:
        """Serves what the configuration files say again; the versions are kept. Raises PublishRefused, StoreError."""
        ...
