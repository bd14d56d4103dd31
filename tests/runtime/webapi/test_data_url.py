"""What data URLs answer, besides the recorded cases of tests/conformance/test_web_api.py."""

import pytest

from edgeworker.runtime.webapi.data_url import answer_data_url


@pytest.mark.parametrize(
    ("url", "content_type", "content"),
    [
        ("data:,A%20brief%20note", "text/plain;charset=US-ASCII", b"A brief note"),
        ("data:application/json,{}#f", "application/json", b"{}"),
        ("data:;base64,AAH/", "text/plain;charset=US-ASCII", b"\x00\x01\xff"),
        ("data:a/b; base64 ,aGk", "a/b", b"hi"),
        ("data:a/b;base64;x=y,aGk", "a/b;x=y", b"aGk"),
        ("data:text/plain,%zz%41", "text/plain", b"%zzA"),
        ("data:/,x", "text/plain;charset=US-ASCII", b"x"),
    ],
)
async def test_a_data_url_answers_its_content(url: str, content_type: str, content: bytes) -> None:
    answer = answer_data_url(url, "GET")

    assert answer is not None
    assert answer.body is not None
    assert (answer.headers.get("content-type"), await answer.body.read()) == (content_type, content)


@pytest.mark.parametrize("url", ["data:", "data:text/plain", "https://x/,", "about:blank"])
def test_anything_else_is_none(url: str) -> None:
    assert answer_data_url(url, "GET") is None
