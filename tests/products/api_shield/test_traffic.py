"""Endpoints that an access log shows."""

import pytest

from edgeworker.products.api_shield.operations import OperationTable
from edgeworker.products.api_shield.traffic import AnsweredRequest, Proposal, propose, template_of
from tests.products.api_shield.zones import operation


def test_what_answered_and_is_not_an_operation_yet_is_proposed() -> None:
    paths = ["/users/7", "/orders/17", "/orders/18", "/orders/0f8fad5b-d9cb-469f-a165-70867728950e", "/health"]
    requests = [
        *(AnsweredRequest("GET", "API.test:8080", path, 200) for path in paths),
        AnsweredRequest("GET", "api.test", "/missing", 404),
        AnsweredRequest("LINK", "api.test", "/x", 200),
        AnsweredRequest("GET", "not a host", "/x", 200),
        AnsweredRequest("GET", "api.test", "/" + "a" * 1000, 200),
    ]

    assert propose(requests, OperationTable([operation("/users/{id}")])) == [
        Proposal("GET", "api.test", "/orders/{var1}", 3),
        Proposal("GET", "api.test", "/health", 1),
    ]


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/users/17/posts/a1b2c3d4e5f60718", "/users/{var1}/posts/{var2}"),
        ("/v1/users", "/v1/users"),
        ("/files/abcdefghijklmnopqrst1", "/files/{var1}"),
        ("/files/abcdefghijklmnopqrstuv", "/files/abcdefghijklmnopqrstuv"),
        ("/", "/"),
    ],
)
def test_segments_that_look_like_identifiers_become_variables(path: str, template: str) -> None:
    assert template_of(path) == template


def test_a_flood_of_paths_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeworker.products.api_shield.traffic.MAX_ENDPOINTS", 10)
    requests = [AnsweredRequest("GET", "api.test", f"/p{chr(97 + n % 26)}{n}x", 200) for n in range(100)]

    assert len(propose(requests, OperationTable([]))) == 10
