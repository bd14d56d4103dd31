"""What `rollback --offline` does: it changes which version is deployed, in the data directory of a stopped edge.

A version can pass its trial and then end every process that serves it, and the REST API with them.
"""

from pathlib import Path
from typing import Final

from edgeworker.clock import SystemClock
from edgeworker.errors import ConfigError
from edgeworker.host.data_lock import hold_data
from edgeworker.publishing.version_store import VersionStore
from edgeworker.publishing.versions import PublishedWorker, WorkerDeployment, WorkerVersion

_AUTHOR: Final = "offline"


def deploy_offline(data: Path, name: str, number: int | None, message: str) -> WorkerVersion | None:
    """What the edge of the data directory `data` serves when it starts; None for the configuration files' worker.
    `number` None: what was deployed before the current version.

    Raises ConfigError; StoreError where an edge runs on the directory, or the disk refuses.
    """
    worker = _known(data, name)
    version = worker.before() if number is None else worker.numbered(number)
    if number is not None and version is None:
        there = ", ".join(str(one.number) for one in worker.versions)
        raise ConfigError(f"{name} has no version {number}; there are: {there}")
    _deploy(data, name, version, message)
    return version


def withdraw_offline(data: Path, name: str, message: str) -> None:
    """The edge serves the configuration files' worker when it starts. Raises as `deploy_offline` does."""
    _known(data, name)
    _deploy(data, name, None, message)


def _known(data: Path, name: str) -> PublishedWorker:
    workers = VersionStore(data).read().workers
    if name not in workers:
        known = ", ".join(workers) or "none"
        raise ConfigError(f"{data}: no version of a worker {name} was published here; published were: {known}")
    hold_data(data)
    return VersionStore(data).read().worker(name)


def _deploy(data: Path, name: str, version: WorkerVersion | None, message: str) -> None:
    id = None if version is None else version.id
    VersionStore(data).deploy(name, WorkerDeployment(id, SystemClock().now(), _AUTHOR, message))
