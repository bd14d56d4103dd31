"""https://developers.cloudflare.com/api-shield/management-and-monitoring/endpoint-management/"""

import pytest

from edgeworker.messages import URL
from edgeworker.products.api_shield.operations import (
    Operation,
    OperationTable,
    normalize_endpoint,
    normalize_host,
    normalize_method,
)


@pytest.mark.parametrize(
    ("endpoint", "normalized"),
    [
        ("/api/users", "/api/users"),
        ("/api/users/{user_id}/orders/{order}", "/api/users/{var1}/orders/{var2}"),
        ("/{}/x", "/{var1}/x"),
        ("/a/../b/./c", "/b/c"),
        ("/{id}/../b", "/b"),
        ("/%61%7e%2f%c3%a9", "/a~%2F%C3%A9"),
        ("/é", "/%C3%A9"),
        ("/a/", "/a/"),
        ("/a//b", "/a//b"),
        ("/", "/"),
    ],
)
def test_an_endpoint_is_normalised(endpoint: str, normalized: str) -> None:
    assert normalize_endpoint(endpoint) == normalized
    assert normalize_endpoint(normalized) == normalized


@pytest.mark.parametrize(
    "endpoint",
    ["", "api", "/a?b", "/a#b", "/a{id}", "/{id}.json", "/{a}{b}", "/{a", "/%7Bx%7D", "/" + "a" * 4096],
)
def test_what_is_not_an_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match=r"endpoint|variable|query"):
        normalize_endpoint(endpoint)


@pytest.mark.parametrize(
    ("host", "normalized"),
    [
        ("API.Example.com", "api.example.com"),
        ("api.example.com.", "api.example.com"),
        ("api.example.com:8443", "api.example.com"),
        ("{tenant}.example.com", "{hostVar1}.example.com"),
        ("foo.{hostVar1}.example.com", "foo.{hostVar1}.example.com"),
        ("{a}.{b}.example.com", "{hostVar2}.{hostVar1}.example.com"),
    ],
)
def test_a_host_is_normalised(host: str, normalized: str) -> None:
    assert normalize_host(host) == normalized


@pytest.mark.parametrize(
    "host",
    ["", "foo-{x}.example.com", "a b", "a/b", "-a.example.com", "a..b", "{x}", "*.example.com", "a" * 300],
)
def test_what_is_not_a_host_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"not a host|only partly a variable"):
        normalize_host(host)


@pytest.mark.parametrize("method", ["get", "", "LINK", "GET "])
def test_what_is_not_a_method_is_refused(method: str) -> None:
    with pytest.raises(ValueError, match="is not a method"):
        normalize_method(method)


OPERATIONS = [
    ("GET", "api.test", "/users/{id}"),
    ("GET", "api.test", "/users/me"),
    ("GET", "api.test", "/users/me/{x}/z"),
    ("GET", "api.test", "/users/{id}/{x}/y"),
    ("POST", "api.test", "/users/{id}"),
    ("GET", "api.test", "/files/a%2Fb"),
    ("GET", "{t}.api.test", "/users/{id}"),
    ("GET", "eu.api.test", "/only"),
    ("GET", "a.{t}.test", "/deep"),
    ("GET", "{x}.{t}.test", "/deep"),
]


@pytest.mark.parametrize(
    ("method", "url", "found"),
    [
        ("GET", "http://api.test/users/7", "/users/{var1}"),
        ("GET", "http://api.test/users/me", "/users/me"),
        ("GET", "http://API.test:8080/users/me?x=1", "/users/me"),
        ("GET", "http://api.test/users/me/1/y", "/users/{var1}/{var2}/y"),
        ("GET", "http://api.test/users/me/1/z", "/users/me/{var1}/z"),
        ("GET", "http://api.test/x/../users/7", "/users/{var1}"),
        ("GET", "http://api.test/%75sers/7", "/users/{var1}"),
        ("GET", "http://api.test/users/a%2Fb", "/users/{var1}"),
        ("GET", "http://api.test/files/a%2fb", "/files/a%2Fb"),
        ("GET", "http://api.test/files/a/b", None),
        ("GET", "http://api.test/users/", None),
        ("GET", "http://api.test/users/7/", None),
        ("GET", "http://api.test//users/7", None),
        ("GET", "http://api.test/Users/7", None),
        ("POST", "http://api.test/users/7", "/users/{var1}"),
        ("PUT", "http://api.test/users/7", None),
        ("GET", "http://acme.api.test/users/7", "/users/{var1}"),
        ("GET", "http://eu.api.test/only", "/only"),
        ("GET", "http://eu.api.test/users/7", "/users/{var1}"),
        ("GET", "http://a.b.api.test/users/7", None),
        ("GET", "http://other.test/users/7", None),
    ],
)
def test_a_request_is_the_operation_of_its_canonical_path(method: str, url: str, found: str | None) -> None:
    operations = [
        Operation(str(number), method, normalize_host(host), normalize_endpoint(endpoint))
        for number, (method, host, endpoint) in enumerate(OPERATIONS)
    ]
    parsed = URL.parse(url).canonical()

    operation = OperationTable(operations).find(method, parsed.hostname, parsed.path)

    assert (None if operation is None else operation.endpoint) == found


def test_the_host_that_is_literal_for_longer_wins() -> None:
    operations = [Operation(host, "GET", normalize_host(host), "/deep") for _, host, _ in OPERATIONS[-2:]]

    for ordered in (operations, operations[::-1]):
        found = OperationTable(ordered).find("GET", "a.b.test", "/deep")
        assert found is not None
        assert found.id == "a.{t}.test"
