"""Where a token is looked for, and what of the value is the token."""

import pytest

from edgeworker.products.api_shield.token_sources import find_token, read_source, strip_bearer

HEADER = read_source('http.request.headers["authorization"][0]')
OTHER = read_source('http.request.headers["x-token"][0]')
COOKIE = read_source('http.request.cookies["CF_Authorization"][0]')


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ("abc", "abc"),
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("BEARER    abc", "abc"),
        ("Bearer\tabc", "abc"),
        ("Bearer: abc", "abc"),
        ("  Bearer abc  ", "abc"),
        ("Bearer Bearer abc", "Bearer abc"),
        ("Bearerabc", "Bearerabc"),
        ("Basic abc", "Basic abc"),
        ("Bearer", ""),
        ("Bearer ", ""),
        ("", ""),
    ],
)
def test_one_bearer_before_the_token_is_left_out(value: str, token: str) -> None:
    assert strip_bearer(value) == token


def test_the_first_source_with_a_value_decides() -> None:
    headers = {"authorization": [b"Bearer one", b"Bearer two"], "x-token": [b"three"]}
    cookies = {"CF_Authorization": [b"four"]}

    def found(*sources: object, **changes: list[bytes]) -> str | None:
        token = find_token([HEADER, OTHER, COOKIE], {**headers, **changes}, cookies)
        return None if token is None else token.text

    assert found() == "one"
    assert found(authorization=[b""]) == "three"
    assert found(authorization=[b"", b"Bearer two"]) == "three"
    first = find_token([COOKIE, HEADER], headers, cookies)
    assert first is not None
    assert (first.source, first.text) == (COOKIE, "four")
    assert find_token([HEADER], {}, cookies) is None


@pytest.mark.parametrize(
    "expression",
    [
        "", "authorization", 'http.request.headers["Authorization"][0]', 'http.request.headers["authorization"][1]',
        'http.request.headers["authorization"]', 'http.request.headers[""][0]', 'http.request.uri.args["token"][0]',
        'lower(http.request.headers["a"][0])', 'http.request.headers["a b"][0]', 'http.request.cookies["a b"][0]',
        'http.request.body.raw', 'http.request.headers["a\\"][0]', 'http.request.headers["é"][0]',
    ],
)  # fmt: skip
def test_what_is_not_a_source_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"token source|header name|name of a cookie"):
        read_source(expression)


def test_a_source_is_written_as_it_is_read() -> None:
    for source in (HEADER, OTHER, COOKIE):
        assert read_source(source.expression) == source
