import pytest

from edgeworker.messages import Response
from edgeworker.rest.call import Call
from edgeworker.rest.permissions import Need
from edgeworker.rest.router import Endpoint, EndpointMatch, Method, Router, WrongMethod
from edgeworker.rest.target import UndecodableText


async def answer(call: Call) -> Response:
    return Response()


def row(method: Method, template: str) -> Endpoint:
    return Endpoint(method, template, answer, Need.ANY_TOKEN)


ROWS = (row("GET", "/a/{id}"), row("DELETE", "/a/{id}"), row("GET", "/a/{id}/k/{key+}"), row("GET", "/a.b"))


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/a/1", {"id": "1"}),
        ("/a/1/", {"id": "1"}),
        ("/a/x%2Fy", {"id": "x/y"}),
        ("/a/1/k/", {"id": "1", "key": ""}),
        ("/a/1/k//x/..//%0A", {"id": "1", "key": "/x/..//\n"}),
        ("/a/1/k/a\nb", {"id": "1", "key": "a\nb"}),
        ("/a/1/k/k/k", {"id": "1", "key": "k/k"}),
        ("/a.b", {}),
    ],
)
def test_a_path_is_taken_apart_by_its_template(path: str, params: dict[str, str]) -> None:
    found = Router(ROWS).find("GET", path)

    assert isinstance(found, EndpointMatch)
    assert found.params == params


@pytest.mark.parametrize("path", ["/a", "/a/", "/a//k/x", "/a/1/k", "/axb", "/a/1/l/x", "", "/A/1"])
def test_another_path_is_nowhere(path: str) -> None:
    assert Router(ROWS).find("GET", path) is None


def test_a_known_path_with_another_method_names_its_methods() -> None:
    assert Router(ROWS).find("PUT", "/a/1") == WrongMethod(("GET", "DELETE"))


def test_a_parameter_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(UndecodableText):
        Router(ROWS).find("GET", "/a/%FF")
