"""Which version is deployed, and what a rollback goes to."""

import pytest

from edgeworker.publishing.versions import (
    MOST_VERSIONS,
    InvalidIndex,
    PublishedIndex,
    WorkerDeployment,
    WorkerVersion,
)
from edgeworker.strict_json import JSON


def version(number: int) -> WorkerVersion:
    return WorkerVersion(f"id-{number}", number, 1000 + number, "ci", "", "wrangler.toml", None, 10, "00")


def index(*deployed: int | None, versions: int = 5) -> PublishedIndex:
    found = PublishedIndex()
    for number in range(1, versions + 1):
        found = found.with_version("api", version(number))
    for number_or_none in deployed:
        id = None if number_or_none is None else f"id-{number_or_none}"
        found = found.with_deployment("api", WorkerDeployment(id, 2000, "ci", ""))
    return found


@pytest.mark.parametrize(
    ("deployed", "serves", "before"),
    [
        ((), None, None),
        ((1,), 1, None),
        ((1, 2), 2, 1),
        ((1, 2, 1), 1, 2),
        ((1, 2, 2), 2, 1),
        ((1, None), None, 1),
        ((None, 1), 1, None),
        ((1, None, 3), 3, None),
    ],
    ids=str,
)
def test_the_newest_deployment_counts_and_a_rollback_goes_to_what_was_served_before(
    deployed: tuple[int | None, ...], serves: int | None, before: int | None
) -> None:
    worker = index(*deployed).worker("api")

    assert worker.deployed == (None if serves is None else version(serves))
    assert worker.before() == (None if before is None else version(before))


def test_a_rollback_passes_over_versions_that_are_not_kept_any_more() -> None:
    found = index(1, 2, 3).without_version("api", "id-2")

    assert found.worker("api").before() == version(1)


def test_the_newest_versions_are_kept_and_the_one_that_is_served() -> None:
    found = index(1)
    for number in range(6, MOST_VERSIONS + 10):
        found = found.with_version("api", version(number))

    numbers = [one.number for one in found.worker("api").versions]
    assert numbers[0] == 1
    assert numbers[1:] == list(range(10, MOST_VERSIONS + 10))


def test_a_generation_is_a_deployment() -> None:
    found = index(1, 2, None)

    assert found.generation == 3
    assert found.with_version("api", version(9)).generation == 3


def test_an_index_is_read_as_it_was_written() -> None:
    found = index(1, None, 2)

    assert PublishedIndex.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ([], "it is not an index of published workers"),
        ({"format": 2, "generation": 1, "workers": []}, "it was written by a newer edgeworker"),
        ({"format": 1, "generation": 1, "workers": [{}]}, "a worker lacks a field"),
        (
            {"format": 1, "generation": 1, "workers": [{"name": "a", "versions": [{}], "deployments": []}]},
            "a version lacks a field",
        ),
        (
            {"format": 1, "generation": 1, "workers": [{"name": "a", "versions": [], "deployments": [1]}]},
            "a deployment lacks a field",
        ),
    ],
)
def test_what_is_not_an_index_is_refused(value: JSON, error: str) -> None:
    with pytest.raises(InvalidIndex, match=error):
        PublishedIndex.from_json(value)
