"""What the workers take from a request of the SDK: its path, a bounded body, and a rate limit's word."""

from types import SimpleNamespace

import pytest

from issuer import sdk_requests
from issuer.store_bindings import Unavailable
from tests.scripts.oauth.in_memory import StreamedBody


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://auth.example.com/authorize?client_id=a&x=%3F?", ("/authorize", "client_id=a&x=%3F?")),
        ("https://auth.example.com/", ("/", "")),
        ("https://auth.example.com", ("/", "")),
        ("https://auth.example.com/a//b", ("/a//b", "")),
        ("https://auth.example.com/a?", ("/a", "")),
        ("http://localhost:8787/a?u=https://evil.example/", ("/a", "u=https://evil.example/")),
    ],
)
def test_path_and_query(url: str, expected: tuple[str, str]) -> None:
    assert sdk_requests.path_and_query(url) == expected


async def test_a_body_is_read_up_to_its_limit() -> None:
    body = StreamedBody([b"ab", b"cd"])

    assert await sdk_requests.read_bounded(body, 4) == b"abcd"
    assert not body.cancelled
    assert await sdk_requests.read_bounded(SimpleNamespace(body=None), 4) == b""


async def test_a_larger_one_is_not_read_to_its_end() -> None:
    body = StreamedBody([b"ab", b"cd", b"ef", b"gh"])

    content = await sdk_requests.read_bounded(body, 3)

    assert len(content) > 3
    assert (body.reads, body.cancelled) == (2, True)


class Limit:
    def __init__(self, outcome: object) -> None:
        self._outcome = outcome

    async def limit(self, *, key: str) -> SimpleNamespace:
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return SimpleNamespace(success=self._outcome, key=key)


@pytest.mark.parametrize("success", [True, False])
async def test_the_rate_limit_decides(success: bool) -> None:
    assert await sdk_requests.check_rate_limit(SimpleNamespace(L=Limit(success)), "L", "k") is success


async def test_without_a_rate_limit_everyone_may_try() -> None:
    assert await sdk_requests.check_rate_limit(SimpleNamespace(), "L", "k") is True


async def test_no_one_may_try_while_the_rate_limit_fails() -> None:
    with pytest.raises(Unavailable, match="L: OSError"):
        await sdk_requests.check_rate_limit(SimpleNamespace(L=Limit(OSError("away"))), "L", "k")
