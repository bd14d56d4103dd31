from types import GetSetDescriptorType, MemberDescriptorType
from typing import Final

from edgeworker.messages import URL, Access, Body, Credentials, Headers, Request

_ATTRIBUTE: Final = (GetSetDescriptorType, MemberDescriptorType)


def test_replace_changes_what_is_named_and_shares_the_rest() -> None:
    body = Body(b"x")
    request = Request("POST", URL.parse("http://a.example/"), Headers({"a": "1"}), body, hops=2)

    changed = request.replace(access=Access("aud"), method="PUT")

    assert (changed.method, changed.access, changed.hops) == ("PUT", Access("aud"), 2)
    assert changed.body is body
    assert changed.headers is request.headers
    assert request.method == "POST"


def test_replace_can_take_the_body_away() -> None:
    request = Request("POST", URL.parse("http://a.example/"), body=Body(b"x"))

    assert request.replace(body=None).body is None


def test_replace_keeps_the_target_as_it_was_received() -> None:
    request = Request("GET", URL.parse("http://a.example/b"), raw_target="/a/../b")

    assert request.replace(url=URL.parse("http://a.example/c")).raw_target == "/a/../b"
    assert Request("GET", URL.parse("http://a.example/b")).raw_target is None


def test_no_repr_shows_a_credential() -> None:
    request = Request(
        "GET", URL.parse("http://a.example/?code=secret"), credentials=Credentials(authorization="Bearer secret")
    )

    assert "secret" not in repr(request)
    assert "secret" not in repr(request.credentials)


def test_a_request_that_access_lets_in_shares_all_but_its_fields_and_who_it_is() -> None:
    request = Request("POST", URL.parse("https://a.test/x"), Headers({"a": "b"}), Body(b"x"), hops=3, raw_target="/X")
    headers, access = Headers({"c": "d"}), Access("aud")

    made = request.let_in(headers, access)

    assert (made.headers, made.access) == (headers, access)
    # A compiled class has no __slots__; its attributes are descriptors, as slots are.
    attributes = {name for name, kept in vars(Request).items() if isinstance(kept, _ATTRIBUTE)}
    assert {"method", "url", "written_url"} < attributes
    for name in attributes - {"headers", "access"}:
        assert getattr(made, name) is getattr(request, name), name
