"""The API's calls for publishing, over real versions in a folder; only the trial of a version is made up."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from edgeworker.config import JSON, Config
from edgeworker.host.publishing import EdgePublisher, TriedVersion
from edgeworker.host.served_generations import ServedGenerations
from edgeworker.kv.memory import MemoryStore
from edgeworker.publishing import VersionStore, WorkerVersion, pack
from edgeworker.rest.permissions import Principal, parse
from tests.kv.clocks import FakeClock
from tests.wrangler_compat.api.client import TOKEN, Client
from wrangler_compat.api import Authenticator, OneToken, V4Api
from wrangler_compat.api import publishing as publishing_module

WORKERS = "/client/v4/edgeworker/workers"


@dataclass(frozen=True, slots=True)
class Scoped:
    """A token that may do only this."""

    permissions: tuple[str, ...]

    async def check(self, text: str, *, now: int) -> Principal | None:
        if text != TOKEN:
            return None
        return Principal("id", "ci", tuple(parse(permission) for permission in self.permissions))


@dataclass(slots=True)
class Trials:
    """What is wrong with the next version that is tried."""

    error: str | None = None

    async def __call__(self, name: str, version: WorkerVersion | None) -> TriedVersion:
        return TriedVersion(self.error)


@pytest.fixture
def trials() -> Trials:
    return Trials()


@pytest.fixture
def publisher(tmp_path: Path, trials: Trials) -> EdgePublisher:
    return EdgePublisher(VersionStore(tmp_path / "data"), ServedGenerations(tmp_path / "served"), trials, FakeClock())


def client_of(publisher: EdgePublisher | None, *permissions: str) -> Client:
    clock = FakeClock()
    check = Scoped(permissions) if permissions else OneToken(TOKEN)
    authenticator = Authenticator([check], clock=clock)
    return Client(V4Api(Config(), MemoryStore(), authenticator, clock=clock, publisher=publisher))


@pytest.fixture
def client(publisher: EdgePublisher) -> Client:
    return client_of(publisher)


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    project = tmp_path / "project"
    project.mkdir()
    (project / "wrangler.toml").write_text('name = "api"\n')
    return pack(project)


def numbers(result: JSON) -> tuple[JSON, list[JSON]]:
    """What is deployed and what there is."""
    assert isinstance(result, dict)
    deployed, versions = result["deployed"], result["versions"]
    assert isinstance(versions, list)
    kept = [version["number"] for version in versions if isinstance(version, dict)]
    return deployed["number"] if isinstance(deployed, dict) else None, kept


async def test_publish_roll_back_and_withdraw(client: Client, archive: bytes) -> None:
    first = await client.call("POST", f"{WORKERS}/api/versions?config=wrangler.toml&message=one", archive)
    second = await client.call("POST", f"{WORKERS}/api/versions?env=production", archive)
    assert numbers(first.result) == (1, [1])
    assert numbers(second.result) == (2, [2, 1])

    back = await client.call("POST", f"{WORKERS}/api/deployments", {"version": None, "message": "too slow"})
    assert numbers(back.result) == (1, [2, 1])
    again = await client.call("POST", f"{WORKERS}/api/deployments", {"version": 2})
    assert numbers(again.result) == (2, [2, 1])
    none = await client.call("DELETE", f"{WORKERS}/api")
    assert numbers(none.result) == (None, [2, 1])

    assert isinstance(none.result, dict)
    deployments = none.result["deployments"]
    assert isinstance(deployments, list)
    assert [item["number"] for item in deployments if isinstance(item, dict)] == [None, 2, 1, 2, 1]
    assert (await client.get(WORKERS)).result == [(await client.get(f"{WORKERS}/api")).result]


async def test_what_does_not_start_is_refused_and_not_kept(client: Client, archive: bytes, trials: Trials) -> None:
    await client.call("POST", f"{WORKERS}/api/versions", archive)
    trials.error = "worker.py, line 3: NameError: name 'x' is not defined"

    answer = await client.call("POST", f"{WORKERS}/api/versions", archive)

    assert (answer.status, answer.code) == (409, 10021)
    assert answer.message == f"api was not changed, because with version 2 the edge would not run:\n{trials.error}"
    assert numbers((await client.get(f"{WORKERS}/api")).result) == (1, [1])
    withdrawn = await client.call("DELETE", f"{WORKERS}/api")
    assert "because with the configuration's own worker the edge would not run" in withdrawn.message


@pytest.mark.parametrize(
    ("target", "body", "status", "text"),
    [
        ("a.b/versions", b"", 400, "'a.b' cannot be a worker's name: lower-case letters, digits, - and _"),
        ("..%2F..%2Fetc/versions", b"", 400, "cannot be a worker's name"),
        ("api/versions?config=../wrangler.toml", b"", 400, "is not the name of a wrangler file"),
        ("api/versions?config=.dev.vars", b"", 400, "is not the name of a wrangler file"),
        ("api/versions?env=a%20b", b"", 400, "env='a b' is not the name of an environment"),
        ("api/versions?message=a%0Ab", b"", 400, "the message must be one line of at most 500 characters"),
        ("api/versions", b"not a zip", 409, "the archive of api: not a zip archive that can be read"),
        ("api/deployments", {"version": "1"}, 400, 'write {"version": N}'),
        ("api/deployments", {"version": True}, 400, 'write {"version": N}'),
        ("api/deployments", [], 400, 'write {"version": N}'),
        ("api/deployments", {"version": 1, "message": 5}, 400, '"message" must be a text'),
        ("api/deployments", {"version": 1}, 404, "no version of a worker api was published here"),
    ],
)
async def test_what_cannot_be_published_says_what_would_be_right(
    client: Client, target: str, body: JSON | bytes, status: int, text: str
) -> None:
    answer = await client.call("POST", f"{WORKERS}/{target}", body)

    assert answer.status == status
    assert text in answer.message
    assert (await client.get(WORKERS)).result == []


async def test_a_version_that_is_not_there_is_named_with_those_that_are(client: Client, archive: bytes) -> None:
    await client.call("POST", f"{WORKERS}/api/versions", archive)

    answer = await client.call("POST", f"{WORKERS}/api/deployments", {"version": 7})

    assert (answer.status, answer.message) == (404, "api has no version 7; there are: 1")
    assert (await client.get(f"{WORKERS}/other")).code == 10007


async def test_too_much_is_refused_by_its_length_and_as_it_comes(
    client: Client, archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing_module, "MOST_ARCHIVE_BYTES", 10)

    for length in (None, len(archive)):
        answer = await client.call("POST", f"{WORKERS}/api/versions", archive, length=length)
        assert (answer.status, answer.code) == (413, 10027)


@pytest.mark.parametrize(
    ("permissions", "reads", "writes"),
    [
        (("kv:write", "account:read"), 403, 403),
        (("workers:read",), 200, 403),
        (("workers:edit",), 403, 200),
        (("everything",), 200, 200),
    ],
)
async def test_publishing_is_a_permission_of_its_own(
    publisher: EdgePublisher, archive: bytes, permissions: tuple[str, ...], reads: int, writes: int
) -> None:
    client = client_of(publisher, *permissions)

    assert (await client.call("POST", f"{WORKERS}/api/versions", archive)).status == writes
    assert (await client.get(WORKERS)).status == reads


async def test_an_edge_that_nothing_can_be_published_into_says_so(archive: bytes) -> None:
    client = client_of(None)

    answer = await client.call("POST", f"{WORKERS}/api/versions", archive)

    assert (answer.status, answer.code) == (409, 10405)
    assert "Publish to an edge that `edgeworker serve` runs." in answer.message
