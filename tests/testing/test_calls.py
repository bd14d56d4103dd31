"""What a test sends and what it reads."""

import pytest

from edgeworker.messages import Headers, Response
from edgeworker.testing.calls import RecordedCall, Reply, reply_of, request_of
from edgeworker.trace import Trace


def test_a_path_is_asked_of_localhost() -> None:
    assert request_of("GET", "/a?b", {}).url.href == "http://localhost/a?b"


def test_host_names_the_server_as_it_does_on_the_wire() -> None:
    request = request_of("GET", "https://127.0.0.1:8443/a?b", {"headers": {"Host": "api.example.com"}})

    assert request.url.href == "https://api.example.com/a?b"
    assert request_of("GET", "https://api.example.com:8443/", {}).headers.get("host") == "api.example.com:8443"


def test_a_body_that_is_known_announces_its_length() -> None:
    request = request_of("POST", "/", {"json": [1], "headers": {"X-A": "1"}})

    assert request.headers.entries() == [
        ("content-length", "3"),
        ("content-type", "application/json"),
        ("host", "localhost"),
        ("x-a", "1"),
    ]


def test_the_client_has_an_address_of_documentation_unless_another_is_given() -> None:
    assert request_of("GET", "/", {}).client.ip == "192.0.2.1"
    assert request_of("GET", "/", {"ip": "2001:db8::1"}).client.ip == "2001:db8::1"


async def test_a_reply_is_read_to_its_end() -> None:
    request = request_of("GET", "/", {})

    reply = await reply_of(Response(404, Headers({"a": "b"}), b"\xffno"), request)

    assert (reply.status, reply.ok, reply.content, reply.text) == (404, False, b"\xffno", "\ufffdno")
    assert (reply.url, reply.headers.get("a")) == ("http://localhost/", "b")


def test_json_is_of_the_kind_that_was_asked_for() -> None:
    reply = Reply(200, Headers(), b'{"sub": "alice"}')

    assert reply.json() == {"sub": "alice"}
    assert reply.json(dict)["sub"] == "alice"
    with pytest.raises(AssertionError, match=r"the answer \(200\) is not list but dict: "):
        reply.json(list)


def test_an_answer_that_is_not_json_is_quoted() -> None:
    with pytest.raises(AssertionError, match=r"the response \(502\) is not JSON: .*'Bad Gateway'"):
        Reply(502, Headers(), b"Bad Gateway").json()


def test_a_reply_does_not_print_its_body() -> None:
    assert "secret" not in repr(Reply(200, Headers(), b"secret"))


def test_an_exchange_is_told_with_its_way() -> None:
    trace = Trace(1.0)
    trace.add("route", "no route", now=1.002)

    assert list(RecordedCall("GET", "http://a.test/", "530", trace).lines()) == [
        "GET http://a.test/ -> 530",
        "     +2.0 ms  route       no route",
    ]
