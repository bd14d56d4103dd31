"""What else servers take a path for."""

import pytest

from edgeworker.routing import alternative_paths


@pytest.mark.parametrize("path", ["/", "/a/b", "/a%20b", "/a.b-c~d/", "/%C3%A9"])
def test_a_usual_path_has_one_reading(path: str) -> None:
    assert list(alternative_paths(path)) == []


@pytest.mark.parametrize(
    ("path", "alternatives"),
    [
        # https://nginx.org/en/docs/http/ngx_http_core_module.html#merge_slashes
        ("//api", {"/api"}),
        ("/a///b//c", {"/a/b/c"}),
        # https://peps.python.org/pep-3333/: SCRIPT_NAME and PATH_INFO are decoded
        ("/api%2Fx", {"/api/x"}),
        ("/api%5Cx", {"/api/x"}),
        ("/%2Fapi", {"//api", "/api"}),
        # https://www.rfc-editor.org/rfc/rfc2396#section-3.3
        ("/api;v=1/x", {"/api/x"}),
        ("/api%3Bv=1/x", {"/api/x"}),
        ("/a;x/..", {"/a/.."}),
        ("/;%2Fapi", {"/;/api", "/", "//api", "/api"}),
    ],
)
def test_an_odd_path_has_others(path: str, alternatives: set[str]) -> None:
    assert set(alternative_paths(path)) == alternatives
