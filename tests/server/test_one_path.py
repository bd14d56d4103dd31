"""H6 and H7 through the whole chain: routes, the script and the origin see one path, or none of them sees any."""

from pathlib import Path

import pytest

from tests.server.chains import chain
from tests.server.wires import END, OK, answering, exchange


async def asked(tmp_path: Path, target: bytes, *, normalize: bool = True) -> tuple[int, str | None, list[str]]:
    """(status, the target that the script saw, or None where it did not run, the targets that the origin got)."""
    heads: list[bytes] = []
    async with chain(tmp_path, answering(OK, heads=heads), normalize_to_origin=normalize) as whole:
        received = await exchange(whole.port, b"GET " + target + b" HTTP/1.1\r\nHost: a.example\r\n" + END)
    lines = received.decode("latin-1").split("\r\n")
    seen = next((line.removeprefix("X-Seen: http://a.example") for line in lines if line.startswith("X-Seen: ")), None)
    return int(lines[0].split(" ")[1]), seen, [head.split(b" ")[1].decode("latin-1") for head in heads]


@pytest.mark.parametrize(
    ("target", "canonical", "routed"),
    [
        # H7: https://developers.cloudflare.com/workers/configuration/routing/routes/#matching-behavior
        (b"/api", "/api", True),
        (b"/apix", "/apix", True),
        (b"/API", "/API", False),
        (b"/x/api", "/x/api", False),
        (b"/x?/api", "/x?/api", False),
        (b"/%61pi/x", "/api/x", True),
        (b"/%61%70%69", "/api", True),
        (b"/%41pi", "/Api", False),
        (b"/x/../api/y", "/api/y", True),
        (b"/api/../x", "/x", False),
        (b"/./api", "/api", True),
        # H6
        (b"/a/%2e%2e/b", "/b", False),
        (b"/a/.%2E/api", "/api", True),
        (b"/a/%2e%2e/api", "/api", True),
        (b"/a/../../api", "/api", True),
        (b"/a/b/.", "/a/b/", False),
        (b"//x//y", "//x//y", False),
        (b"/api//x", "/api//x", True),
        (b"/a%2fb", "/a%2Fb", False),
        (b"/@scope%2Fname", "/@scope%2Fname", False),
        (b"/a\\..\\api", "/api", True),
        (b"/a;x=1/b", "/a;x=1/b", False),
        (b"/api;x=1", "/api;x=1", True),
        (b"/api%2fx", "/api%2Fx", True),
        (b"/x%2fapi", "/x%2Fapi", False),
        (b"/caf%e9", "/caf%E9", False),
        (b"/%c3%a9", "/%C3%A9", False),
        (b"/a?b=%zz%00&c=../d", "/a?b=%zz%00&c=../d", False),
        (b"/a%25%32%65", "/a%252e", False),
        (b"/%2561pi", "/%2561pi", False),
        (b"http://a.example/%61pi", "/api", True),
    ],
)
async def test_h6_h7_routes_script_and_origin_see_one_path(
    tmp_path: Path, target: bytes, canonical: str, routed: bool
) -> None:
    status, seen, origin_got = await asked(tmp_path, target)

    assert status == 200
    assert seen == (canonical if routed else None)
    assert origin_got == [canonical]


@pytest.mark.parametrize(
    "target",
    [
        b"/api/..%2fadmin",
        b"/api/..%2Fadmin",
        b"/api/%2e%2e%2fadmin",
        b"/api%2f..%2fadmin",
        b"/api%2f../admin/..%5cx",
        b"/api/..%5cadmin",
        b"/api/..%5Cadmin",
        b"/api/..;/admin",
        b"/api/..;x=1/admin",
        b"/api/%2e%2e;/admin",
        b"/api/..%3b/admin",
        b"/api/.;/admin",
        b"/a%2f..",
        b"/%00",
        b"/api%00.css",
        b"/%zz",
        b"/%",
        b"/a%2",
        b"/%%32%65",
        b"/%u002e",
        b"/%c0%af",
        b"/..%c0%af..%c0%afetc",
        b"/%C0%AE%C0%AE/admin",
        b"/%e0%80%af",
        b"/%f0%80%80%af",
    ],
)
async def test_h6_h7_a_path_that_two_readers_would_take_for_different_ones_is_refused(
    tmp_path: Path, target: bytes
) -> None:
    status, seen, origin_got = await asked(tmp_path, target)

    assert (status, seen, origin_got) == (400, None, [])


@pytest.mark.parametrize(
    ("target", "seen", "received"),
    [
        (b"/x/../api/./y?z=../a", "/api/y?z=../a", "/x/../api/./y?z=../a"),
        (b"/%61pi/caf%e9", "/api/caf%E9", "/%61pi/caf%e9"),
        (b"/a\\..\\api", "/api", "/a\\..\\api"),
        (b"http://a.example/%61pi", "/api", "/%61pi"),
        (b"/API/../x", None, "/API/../x"),
    ],
)
async def test_an_origin_may_have_the_path_as_it_was_received(
    tmp_path: Path, target: bytes, seen: str | None, received: str
) -> None:
    assert await asked(tmp_path, target, normalize=False) == (200, seen, [received])


async def test_an_origin_that_wants_the_received_path_still_gets_none_that_two_readers_read_differently(
    tmp_path: Path,
) -> None:
    assert (await asked(tmp_path, b"/api/..%2fadmin", normalize=False))[0] == 400


@pytest.mark.parametrize(
    "target",
    [
        b"//api",
        b"///api/x",
        b"/\\api",
        b"/x/..//api",
        b"/%2fapi",
        b"/%2f%2fapi",
        b"/%5capi",
        b"/;x/api",
        b"/;%2fapi",
        b"//cdn-cgi/x",
        b"/cdn-cgi%2fx",
        b"/cdn-cgi;x/y",
    ],
)
async def test_h7_no_one_gets_past_a_worker_or_the_edge_by_a_path_that_the_origin_takes_for_another(
    tmp_path: Path, target: bytes
) -> None:
    assert await asked(tmp_path, target) == (400, None, [])
