"""A publication among processes: what each of them serves, and what happens where one cannot."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.errors import StoreError
from edgeworker.host.publishing import EdgePublisher, TriedVersion
from edgeworker.host.served_generations import ServedGenerations, Serving
from edgeworker.publishing import (
    PublishedIndex,
    PublishRefused,
    VersionStore,
    WorkerDeployment,
    WorkerVersion,
    pack,
)


async def _works(name: str, version: WorkerVersion | None) -> TriedVersion:
    return TriedVersion()


@pytest.fixture
def publisher(tmp_path: Path) -> EdgePublisher:
    (tmp_path / "served").mkdir()
    return EdgePublisher(VersionStore(tmp_path), ServedGenerations(tmp_path / "served"), _works, SystemClock())


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    project = tmp_path / "project"
    project.mkdir()
    (project / "wrangler.toml").write_text('name = "api"\n')
    return pack(project)


async def publish(publisher: EdgePublisher, archive: bytes) -> int:
    made = await publisher.publish("api", archive, config="wrangler.toml", env=None, author="ci", message="")
    assert made.worker.deployed is not None
    return made.worker.deployed.number


async def deployed(publisher: EdgePublisher, generation: int) -> None:
    while publisher.index().generation < generation:  # noqa: ASYNC110  # the index is a file
        await asyncio.sleep(0.01)


async def test_it_is_done_when_every_process_serves_it(publisher: EdgePublisher, archive: bytes) -> None:
    publisher.served.tell(Serving(0))

    async with asyncio.TaskGroup() as group:
        published = group.create_task(publish(publisher, archive))
        await deployed(publisher, 1)
        assert not published.done()
        publisher.served.tell(Serving(1))

    assert published.result() == 1


async def test_a_process_that_cannot_serve_it_brings_the_version_before_back(
    publisher: EdgePublisher, archive: bytes
) -> None:
    await publish(publisher, archive)
    publisher.served.tell(Serving(1))

    async def refuse() -> None:
        await deployed(publisher, 2)
        publisher.served.tell(Serving(1, 2, "worker.py, line 1: no memory"))

    async with asyncio.TaskGroup() as group:
        group.create_task(refuse())
        with pytest.raises(PublishRefused, match="a process could not serve it, so the version before stays:\nworker"):
            await publish(publisher, archive)

    worker = publisher.index().worker("api")
    assert worker.deployed is not None
    assert worker.deployed.number == 1
    assert [version.number for version in worker.versions] == [1]


async def test_of_two_at_once_each_is_tried_with_what_the_other_deployed(
    publisher: EdgePublisher, archive: bytes
) -> None:
    numbers = await asyncio.gather(publish(publisher, archive), publish(publisher, archive))

    assert sorted(numbers) == [1, 2]
    assert len(publisher.index().worker("api").deployments) == 2


class _SlowDisk(VersionStore):
    """Deploys when it is told to."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def deploy(self, name: str, deployment: WorkerDeployment) -> PublishedIndex:
        self.begun.set()
        self.goes_on.wait()
        return super().deploy(name, deployment)


async def test_a_version_whose_client_left_while_it_was_deployed_is_kept(
    publisher: EdgePublisher, archive: bytes, tmp_path: Path
) -> None:
    disk = _SlowDisk(tmp_path)
    publishing = asyncio.ensure_future(publish(replace(publisher, store=disk), archive))
    await asyncio.to_thread(disk.begun.wait)

    publishing.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    disk.goes_on.set()

    with pytest.raises(asyncio.CancelledError):
        await publishing
    await deployed(publisher, 1)
    worker = publisher.index().worker("api")
    assert worker.deployed is not None
    assert [version.id for version in worker.versions] == [worker.deployed.id]


async def test_a_folder_that_cannot_be_made_is_an_error_of_the_store(publisher: EdgePublisher, archive: bytes) -> None:
    publisher.store.folder.write_text("a file stands where the folder should")

    with pytest.raises(StoreError, match="cannot be used"):
        await publish(publisher, archive)
