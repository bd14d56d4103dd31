from email.utils import formatdate

import pytest

from edgeworker.cache.rules import fresh_seconds, is_unchanged, kept_headers, varies_by
from edgeworker.messages import Headers

NOW = 1_700_000_000
NOTHING = Headers()


# As miniflare answered, except "MAX-AGE", whose case it minds, and RFC 9111 does not.
@pytest.mark.parametrize(
    ("control", "seconds"),
    [
        ("", 0),
        ("max-age=10", 10),
        ("MAX-AGE=10", 10),
        ("s-maxage=10", 10),
        ("max-age=10, s-maxage=0", 0),
        ("max-age=0", 0),
        ("max-age=abc", 0),
        ("no-store, max-age=10", 0),
        ("no-cache, max-age=10", 0),
        ("no-cache=x, max-age=10", 0),
        ("private, max-age=10", 0),
        ("private=set-cookie, max-age=10", 10),
        ("public", 0),
        ("public, max-age=10", 10),
        ("immutable", 86_400),
        ("max-age=10, proxy-revalidate", 0),
        ("max-age=10, must-revalidate", 10),
    ],
)
def test_cache_control_says_how_long(control: str, seconds: int) -> None:
    assert fresh_seconds(200, Headers({"cache-control": control}), NOTHING, now=NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"expires": formatdate(NOW + 60, usegmt=True)}, 60),
        ({"expires": formatdate(NOW + 60, usegmt=True), "date": formatdate(NOW - 10, usegmt=True)}, 70),
        ({"expires": formatdate(NOW - 60, usegmt=True)}, 0),
        ({"expires": "0"}, 0),
        ({"expires": formatdate(NOW + 60, usegmt=True), "cache-control": "max-age=5"}, 5),
        ({"last-modified": formatdate(NOW - 1000, usegmt=True)}, 100),
        ({"cache-control": "max-age=10", "age": "4"}, 6),
        ({"cache-control": "max-age=10", "age": "15"}, 0),
        ({"cache-control": "max-age=10", "set-cookie": "a=1"}, 0),
        ({"cache-control": "private=set-cookie, max-age=10", "set-cookie": "a=1"}, 10),
    ],
)
def test_other_fields_say_it_too(headers: dict[str, str], seconds: int) -> None:
    assert fresh_seconds(200, Headers(headers), NOTHING, now=NOW) == seconds


@pytest.mark.parametrize(
    ("control", "seconds"),
    [("max-age=10", 0), ("public, max-age=10", 10), ("s-maxage=10", 10), ("max-age=10, must-revalidate", 10)],
)
def test_an_answer_to_credentials_is_kept_only_if_it_says_so(control: str, seconds: int) -> None:
    asked = Headers({"authorization": "Bearer x"})

    assert fresh_seconds(200, Headers({"cache-control": control}), asked, now=NOW) == seconds


@pytest.mark.parametrize("status", [201, 204, 206, 304, 400, 401, 403, 500, 502, 503])
def test_some_statuses_are_never_kept(status: int) -> None:
    assert fresh_seconds(status, Headers({"cache-control": "public, max-age=10"}), NOTHING, now=NOW) == 0


def test_what_is_about_one_connection_or_one_person_is_not_kept() -> None:
    headers = Headers([("Connection", "x-a"), ("X-A", "1"), ("Keep-Alive", "1"), ("Set-Cookie", "a=1"), ("X-B", "2")])

    assert kept_headers(headers).entries() == [("x-b", "2")]


def test_vary_is_a_set_of_names() -> None:
    assert varies_by(Headers([("Vary", "Accept, x-a"), ("Vary", "ACCEPT,*")])) == ("*", "accept", "x-a")


@pytest.mark.parametrize(
    ("asked", "unchanged"),
    [
        ({"if-none-match": '"e"'}, True),
        ({"if-none-match": 'W/"e"'}, True),
        ({"if-none-match": '"x", "e"'}, True),
        ({"if-none-match": "*"}, True),
        ({"if-none-match": '"x"', "if-modified-since": formatdate(NOW, usegmt=True)}, False),
        ({"if-modified-since": formatdate(NOW, usegmt=True)}, True),
        ({"if-modified-since": formatdate(NOW - 1, usegmt=True)}, False),
        ({"if-modified-since": "nonsense"}, False),
        ({}, False),
    ],
)
def test_conditions_of_a_request(asked: dict[str, str], unchanged: bool) -> None:
    kept = Headers({"etag": '"e"', "last-modified": formatdate(NOW, usegmt=True)})

    assert is_unchanged(kept, Headers(asked)) is unchanged
