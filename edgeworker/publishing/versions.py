"""Which versions of which workers were published, and which are deployed. Pure.

A worker has versions, numbered from 1, and deployments: each names the version that is served from then on, or none,
after which the worker of the configuration files is served again, if they have one. The newest deployment counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

from edgeworker.strict_json import JSON

FORMAT: Final = 1
# What is kept of one worker, beside the version that is deployed. Cloudflare offers the last 100 for a rollback.
MOST_VERSIONS: Final = 20
MOST_DEPLOYMENTS: Final = 100
MOST_WORKERS: Final = 200


class InvalidIndex(ValueError):
    """Not an index of published workers, or one of a newer edgeworker."""


@dataclass(frozen=True, slots=True)
class WorkerVersion:
    """One published project. `created_at` in epoch seconds; `author` is the name of the API token; `config` is the
    wrangler file's name in the archive, `env` the environment of it; `size` and `sha256` are the archive's."""

    id: str
    number: int
    created_at: int
    author: str
    message: str
    config: str
    env: str | None
    size: int
    sha256: str

    def to_json(self) -> dict[str, JSON]:
        return {
            "id": self.id,
            "number": self.number,
            "created_at": self.created_at,
            "author": self.author,
            "message": self.message,
            "config": self.config,
            "env": self.env,
            "size": self.size,
            "sha256": self.sha256,
        }

    @classmethod
    def from_json(cls, value: JSON) -> Self:
        match value:
            case {
                "id": str(id),
                "number": int(number),
                "created_at": int(created_at),
                "author": str(author),
                "message": str(message),
                "config": str(config),
                "env": None | str() as env,
                "size": int(size),
                "sha256": str(sha256),
            }:
                return cls(id, number, created_at, author, message, config, env, size, sha256)
            case _:
                raise InvalidIndex("a version lacks a field")


@dataclass(frozen=True, slots=True)
class WorkerDeployment:
    """`version` None: the worker of the configuration files is served again."""

    version: str | None
    created_at: int
    author: str
    message: str

    def to_json(self) -> dict[str, JSON]:
        return {
            "version": self.version,
            "created_at": self.created_at,
            "author": self.author,
            "message": self.message,
        }

    @classmethod
    def from_json(cls, value: JSON) -> Self:
        match value:
            case {
                "version": None | str() as version,
                "created_at": int(created_at),
                "author": str(author),
                "message": str(message),
            }:
                return cls(version, created_at, author, message)
            case _:
                raise InvalidIndex("a deployment lacks a field")


@dataclass(frozen=True, slots=True)
class PublishedWorker:
    """Versions and deployments, the oldest first."""

    name: str
    versions: tuple[WorkerVersion, ...] = ()
    deployments: tuple[WorkerDeployment, ...] = ()

    @property
    def deployed(self) -> WorkerVersion | None:
        """The version that is served."""
        return self.version(self.deployments[-1].version) if self.deployments else None

    def version(self, id: str | None) -> WorkerVersion | None:
        return next((version for version in self.versions if version.id == id), None)

    def numbered(self, number: int) -> WorkerVersion | None:
        return next((version for version in self.versions if version.number == number), None)

    def before(self) -> WorkerVersion | None:
        """What a rollback goes to: what was deployed before the current version, or None for the files' worker."""
        current = self.deployments[-1].version if self.deployments else None
        for deployment in reversed(self.deployments[:-1]):
            kept = self.version(deployment.version)
            if deployment.version != current and (kept is not None or deployment.version is None):
                return kept
        return None


@dataclass(frozen=True, slots=True)
class PublishedIndex:
    """`generation` grows by one with each deployment."""

    generation: int = 0
    workers: Mapping[str, PublishedWorker] = field(default_factory=dict)

    def worker(self, name: str) -> PublishedWorker:
        return self.workers.get(name) or PublishedWorker(name)

    def with_version(self, name: str, version: WorkerVersion) -> Self:
        worker = self.worker(name)
        kept = _newest((*worker.versions, version), worker.deployed)
        return self._with(replace(worker, versions=kept))

    def without_version(self, name: str, id: str) -> Self:
        worker = self.worker(name)
        return self._with(replace(worker, versions=tuple(one for one in worker.versions if one.id != id)))

    def with_room(self) -> Self | None:
        """Room for one more worker: where there is none, that of the one that was withdrawn first; None if all are
        served."""
        if len(self.workers) < MOST_WORKERS:
            return self
        withdrawn = [worker for worker in self.workers.values() if worker.deployed is None]
        if not withdrawn:
            return None
        first = min(withdrawn, key=lambda worker: worker.deployments[-1].created_at if worker.deployments else 0)
        return replace(self, workers={name: one for name, one in self.workers.items() if name != first.name})

    def with_deployment(self, name: str, deployment: WorkerDeployment) -> Self:
        worker = self.worker(name)
        deployments = (*worker.deployments, deployment)[-MOST_DEPLOYMENTS:]
        return replace(self._with(replace(worker, deployments=deployments)), generation=self.generation + 1)

    def to_json(self) -> dict[str, JSON]:
        workers: list[JSON] = [
            {
                "name": worker.name,
                "versions": [version.to_json() for version in worker.versions],
                "deployments": [deployment.to_json() for deployment in worker.deployments],
            }
            for worker in self.workers.values()
        ]
        return {"format": FORMAT, "generation": self.generation, "workers": workers}

    @classmethod
    def from_json(cls, value: JSON) -> Self:
        """Raises InvalidIndex."""
        match value:
            case {"format": int(number)} if number > FORMAT:
                raise InvalidIndex("it was written by a newer edgeworker")
            case {"format": int(), "generation": int(generation), "workers": list(workers)}:
                found = [_worker(worker) for worker in workers]
                return cls(generation, {worker.name: worker for worker in found})
            case _:
                raise InvalidIndex("it is not an index of published workers")

    def _with(self, worker: PublishedWorker) -> Self:
        return replace(self, workers={**self.workers, worker.name: worker})


@dataclass(frozen=True, slots=True)
class PublishedProject:
    """A deployed version as files: `config` is its wrangler file. It takes the place of the worker of its name."""

    name: str
    version: WorkerVersion
    config: Path


def _worker(value: JSON) -> PublishedWorker:
    match value:
        case {"name": str(name), "versions": list(versions), "deployments": list(deployments)}:
            return PublishedWorker(
                name,
                tuple(WorkerVersion.from_json(version) for version in versions),
                tuple(WorkerDeployment.from_json(deployment) for deployment in deployments),
            )
        case _:
            raise InvalidIndex("a worker lacks a field")


def _newest(versions: Iterable[WorkerVersion], deployed: WorkerVersion | None) -> tuple[WorkerVersion, ...]:
    every = tuple(versions)
    newest = every[-MOST_VERSIONS:]
    return newest if deployed is None or deployed in newest else (deployed, *newest)
