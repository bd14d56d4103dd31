"""Operations of OpenAPI documents."""

import pytest

from edgeworker.products.api_shield.openapi import read_openapi


def _keys(document: object, *hosts: str) -> list[tuple[str, str, str]]:
    return [(one.method, one.host, one.endpoint) for one in read_openapi(document, hosts)]


def test_each_method_of_each_path_on_each_server_is_an_operation() -> None:
    document = {
        "servers": [{"url": "https://API.example.com/v1/"}, {"url": "https://eu.example.com"}],
        "paths": {"/users/{userId}/posts/{postId}": {"get": {}, "parameters": [], "x-note": {}}},
    }

    assert _keys(document) == [
        ("GET", "api.example.com", "/v1/users/{var1}/posts/{var2}"),
        ("GET", "eu.example.com", "/users/{var1}/posts/{var2}"),
    ]


def test_paths_that_differ_in_names_only_are_one_operation() -> None:
    paths: dict[str, object] = {"/users/{a}": {"get": {}}, "/users/{b}": {"get": {}}}

    assert len(_keys({"servers": [{"url": "https://a.test"}], "paths": paths})) == 1


def test_variables_of_a_server_have_their_defaults() -> None:
    server = {
        "url": "https://{region}.example.com/{v}",
        "variables": {"region": {"default": "eu"}, "v": {"default": 2}},
    }

    assert _keys({"servers": [server], "paths": {"/": {"post": {}}}}) == [("POST", "eu.example.com", "/2/")]


def test_version_two_has_a_host_and_a_base_path() -> None:
    document = {"swagger": "2.0", "host": "api.test", "basePath": "/v2", "paths": {"/pets": {"get": {}}}}

    assert _keys(document) == [("GET", "api.test", "/v2/pets")]


def test_hosts_that_are_given_keep_the_base_path() -> None:
    document = {"servers": [{"url": "https://a.test/v1"}], "paths": {"/x": {"get": {}}}}

    assert _keys(document, "b.test") == [("GET", "b.test", "/v1/x")]
    assert _keys({"servers": [{"url": "/v1"}], "paths": {"/x": {"get": {}}}}, "b.test") == [("GET", "b.test", "/v1/x")]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "is not OpenAPI"),
        ({"paths": []}, "is not OpenAPI"),
        ({"paths": {}}, "names no server"),
        ({"servers": [{"url": "/v1"}, 7, {"url": 7}], "paths": {}}, "names no server"),
        ({"servers": [{"url": "https://a.test"}], "paths": {"/{": {"get": {}}}}, r"\{"),
        ({"servers": [{"url": "https://[::1"}], "paths": {"/": {"get": {}}}}, "IPv6"),
        ({"host": "a b", "paths": {"/": {"get": {}}}}, "a b"),
    ],
)
def test_what_is_not_a_document_is_told(document: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_openapi(document)


def test_what_is_not_a_path_or_method_is_passed_over() -> None:
    document = {"host": "a.test", "paths": {7: {"get": {}}, "/x": [], "/y": {7: {}, "get": {}, "query": {}}}}

    assert _keys(document) == [("GET", "a.test", "/y")]


def test_a_huge_document_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeworker.products.api_shield.openapi.MAX_OPERATIONS", 3)

    with pytest.raises(ValueError, match="more than 3 operations"):
        read_openapi({"host": "a.test", "paths": {f"/{n}": {"get": {}} for n in range(4)}})
