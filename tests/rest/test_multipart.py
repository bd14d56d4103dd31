from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.rest.multipart import MultipartRefused, PartTooLarge, boundary_of, read_parts

LIMITS = {"value": 1000, "metadata": 10}


async def pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def parts_of(content: bytes, *, size: int = 1 << 20, total_limit: int = 10_000) -> dict[str, bytes]:
    found = await read_parts(pieces(content, size), boundary="XX", limits=LIMITS, total_limit=total_limit)
    return {name: b"".join(part) for name, part in found.items()}


def part(name: str, content: bytes) -> bytes:
    return f'--XX\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content + b"\r\n"


@given(value=st.binary(max_size=200), size=st.integers(1, 300))
async def test_a_part_is_the_same_however_the_body_is_cut(value: bytes, size: int) -> None:
    if b"\r\n--XX" in b"\r\n" + value:
        return
    content = part("value", value) + part("other", b"ignored") + part("metadata", b"{}") + b"--XX--\r\n"

    assert await parts_of(content, size=size) == {"value": value, "metadata": b"{}"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no form",
        part("value", b"v"),
        part("value", b"v") + b"--XX",
        b"--XX\r\n\r\nv\r\n--XX--",
        part("value", b"a") + part("value", b"b") + b"--XX--",
        b"".join(part(f"p{number}", b"") for number in range(20)) + b"--XX--",
        b'--XX\r\nContent-Disposition: form-data; name="value"\r\nX: ' + b"x" * 9000 + b"\r\n\r\nv\r\n--XX--",
    ],
)
async def test_a_form_that_is_not_whole_is_refused(content: bytes) -> None:
    with pytest.raises(MultipartRefused):
        await parts_of(content)


async def test_a_form_without_a_boundary_is_refused() -> None:
    with pytest.raises(MultipartRefused, match="has no boundary"):
        await read_parts(pieces(b"", 1), boundary="", limits=LIMITS, total_limit=1)


async def test_what_is_too_large_is_refused_as_soon_as_that_is_seen() -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        yield b'--XX\r\nContent-Disposition: form-data; name="value"\r\n\r\n'
        while True:
            read += 100
            yield b"v" * 100

    with pytest.raises(PartTooLarge, match='"value" is larger than 1000 bytes'):
        await read_parts(endless(), boundary="XX", limits=LIMITS, total_limit=10_000)
    assert read < 1500
    with pytest.raises(PartTooLarge, match="all parts together"):
        await parts_of(part("other", b"x" * 20_000) + b"--XX--", size=1000)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ('multipart/form-data; boundary="a b"', "a b"),
        ("Multipart/Form-Data;boundary=XX", "XX"),
        ("multipart/form-data", ""),
        ("multipart/mixed; boundary=XX", None),
        ("application/json", None),
        ("", None),
        (None, None),
    ],
)
def test_the_boundary_stands_in_the_content_type(content_type: str | None, boundary: str | None) -> None:
    assert boundary_of(content_type) == boundary
