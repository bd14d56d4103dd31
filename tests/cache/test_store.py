"""What every store of cached answers does, and what the one on disk does besides."""

import logging
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from edgeworker.cache.disk import PIECE_BYTES, DiskCache
from edgeworker.cache.memory import MemoryCache
from edgeworker.cache.store import ENTRY_BYTES, MAX_VARIANTS, CachedHead, CacheStore
from edgeworker.messages import Headers

NOTHING = Headers()
Making = Callable[[int], CacheStore]


@pytest.fixture(params=["memory", "disk"])
def making(request: pytest.FixtureRequest, tmp_path: Path) -> Making:
    """Makes a store of at most so many bytes; on disk it is the same one each time."""
    if request.param == "memory":
        return lambda most: MemoryCache(max_bytes=most)
    return lambda most: DiskCache(tmp_path / "cache", max_bytes=most)


@pytest.fixture
def store(making: Making) -> CacheStore:
    return making(1024 * 1024)


@pytest.fixture
def disk(tmp_path: Path) -> DiskCache:
    return DiskCache(tmp_path / "cache")


def head(*, kept_at: int = 0, expires_at: int = 100, vary: str | None = None) -> CachedHead:
    return CachedHead(200, Headers({"x-a": "1"} if vary is None else {"vary": vary}), kept_at, expires_at)


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


async def put(
    store: CacheStore, url: str, *content: bytes, cache: str = "", request: Headers = NOTHING, **of_head: object
) -> None:
    await store.put(cache, url, request, head(**of_head), pieces(*content))  # type: ignore[arg-type]  # head's own


async def content(
    store: CacheStore, url: str, *, cache: str = "", request: Headers = NOTHING, now: int = 0
) -> bytes | None:
    found = await store.find(cache, url, request, now=now)
    return None if found is None else b"".join([piece async for piece in found.read(0, found.length)])


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_what_was_put_is_found_with_its_fields(store: CacheStore) -> None:
    await put(store, "u", b"one ", b"two", kept_at=5)

    found = await store.find("", "u", NOTHING, now=5)
    assert found is not None
    assert (found.head.status, found.head.headers.entries(), found.head.kept_at, found.length) == (
        200,
        [("x-a", "1")],
        5,
        7,
    )
    assert b"".join([piece async for piece in found.read(2, 6)]) == b"e tw"
    assert await content(store, "u") == b"one two"


async def test_an_entry_is_gone_at_its_expiry_second(store: CacheStore) -> None:
    await put(store, "u", b"x")

    assert await content(store, "u", now=99) == b"x"
    assert await content(store, "u", now=100) is None
    assert not await store.delete("", "u", now=100)


async def test_each_choice_of_fields_has_its_own_answer(store: CacheStore) -> None:
    def asking(language: str) -> Headers:
        return Headers({"accept-language": language})

    for language in ("de", "fr"):
        await put(store, "u", language.encode(), request=asking(language), vary="Accept-Language")

    assert [await content(store, "u", request=asking(language)) for language in ("de", "fr", "it")] == [
        b"de",
        b"fr",
        None,
    ]
    assert await content(store, "u") is None
    assert await store.delete("", "u", now=0)
    assert await content(store, "u", request=asking("de")) is None


async def test_the_least_recently_used_ones_make_room(making: Making) -> None:
    store = making(3 * (100_000 + ENTRY_BYTES))
    for at, url in enumerate("abc"):
        await put(store, url, b"x" * 100_000, kept_at=at, expires_at=10_000)
    await content(store, "a", now=100)
    await put(store, "d", b"x" * 100_000, kept_at=200, expires_at=10_000)

    gone = [url for url in "abcd" if await content(store, url, now=200) is None]
    assert "b" in gone
    assert not {"a", "d"} & set(gone)


async def test_what_is_too_large_is_not_kept_and_read_no_further(making: Making) -> None:
    store, read = making(100_000), 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield bytes(10_000)

    await store.put("", "u", NOTHING, head(), endless())

    assert read < 20
    assert await content(store, "u") is None


async def test_caches_keep_apart(store: CacheStore) -> None:
    await put(store, "u", b"x")

    assert await content(store, "u", cache="name:n") is None
    assert not await store.delete("name:n", "u", now=0)


async def test_h23_a_client_cannot_make_more_answers_of_one_url_than_are_looked_through_in_no_time(
    store: CacheStore,
) -> None:
    for number in range(MAX_VARIANTS + 1):
        await put(store, "u", b"x", request=Headers({"accept": str(number)}), vary="Accept", kept_at=number)

    found = [await content(store, "u", request=Headers({"accept": str(number)})) for number in (0, 1, MAX_VARIANTS)]

    assert [item is None for item in found] == [True, False, False]


async def test_a_body_that_breaks_off_leaves_what_was_kept_before(store: CacheStore, tmp_path: Path) -> None:
    await put(store, "u", b"whole")

    async def broken() -> AsyncIterator[bytes]:
        yield b"ha"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put("", "v", NOTHING, head(), broken())

    assert (await content(store, "u"), await content(store, "v")) == (b"whole", None)
    assert len(files(tmp_path)) <= 1


async def test_a_disk_keeps_answers_for_the_next_process(disk: DiskCache, tmp_path: Path) -> None:
    await put(disk, "u", b"x")
    await disk.close()

    assert await content(DiskCache(tmp_path / "cache"), "u") == b"x"


async def test_two_processes_see_each_others_answers_at_once(disk: DiskCache, tmp_path: Path) -> None:
    other = DiskCache(tmp_path / "cache")
    await put(disk, "u", b"one")
    await put(other, "u", b"two")

    assert await content(disk, "u") == b"two"
    assert await other.delete("", "u", now=0)
    assert await content(disk, "u") is None


async def test_only_the_owner_can_read_what_lies_on_disk(disk: DiskCache, tmp_path: Path) -> None:
    await put(disk, "u", b"x")

    modes = {stat.S_IMODE(path.stat().st_mode) for path in files(tmp_path)}
    folders = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "cache").rglob("*") if path.is_dir()}
    assert (modes, folders | {stat.S_IMODE((tmp_path / "cache").stat().st_mode)}) == ({0o600}, {0o700})


async def test_a_large_answer_is_read_in_pieces_to_its_end_although_it_was_deleted_meanwhile(disk: DiskCache) -> None:
    await put(disk, "u", *[bytes([number]) * PIECE_BYTES for number in range(3)], b"end")
    found = await disk.find("", "u", NOTHING, now=0)
    assert found is not None

    reading = found.read(0, found.length)
    first = await anext(reading)
    await disk.delete("", "u", now=0)
    rest = [piece async for piece in reading]

    assert (len(first), [len(piece) for piece in rest], rest[-1]) == (
        PIECE_BYTES,
        [PIECE_BYTES, PIECE_BYTES, 3],
        b"end",
    )


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip(at: int) -> Callable[[Path], None]:
    def flip(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[at] ^= 1
        path.write_bytes(content)

    return flip


DAMAGE: list[tuple[str, Callable[[Path], object]]] = [
    ("truncated", _truncate),
    ("longer", lambda path: path.write_bytes(path.read_bytes() + b"x")),
    ("empty", lambda path: path.write_bytes(b"")),
    ("of another version", _flip(7)),
    ("with a wrong head", _flip(40)),
    (
        "with another status",
        lambda path: path.write_bytes(path.read_bytes().replace(b'"status": 200', b'"status": 203')),
    ),
    ("with a wrong content", _flip(-1)),
    ("with a wrong length", _flip(18)),
    ("garbage", lambda path: path.write_bytes(b"EWCACHE1" + bytes(20))),
]


@pytest.mark.parametrize(("name", "damage"), DAMAGE, ids=[name for name, _ in DAMAGE])
async def test_a_file_that_is_damaged_is_not_an_answer_and_is_deleted(
    disk: DiskCache, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, damage: Callable[[Path], object]
) -> None:
    await put(disk, "u", b"content")
    [file] = files(tmp_path)
    damage(file)

    with caplog.at_level(logging.WARNING):
        assert await content(disk, "u") is None

    assert "is damaged and was deleted" in caplog.text
    assert files(tmp_path) == []
    await put(disk, "u", b"new")
    assert await content(disk, "u") == b"new"


async def test_a_file_in_the_place_of_another_url_is_not_that_ones_answer(disk: DiskCache, tmp_path: Path) -> None:
    await put(disk, "u", b"of u")
    [file_of_u] = files(tmp_path)
    await put(disk, "v", b"of v")
    [file_of_v] = set(files(tmp_path)) - {file_of_u}
    file_of_u.replace(file_of_v)

    assert await content(disk, "v") is None


async def test_a_large_file_that_is_damaged_fails_its_reader_at_the_end_and_none_after(
    disk: DiskCache, tmp_path: Path
) -> None:
    await put(disk, "u", bytes(PIECE_BYTES), b"more")
    [file] = files(tmp_path)
    _flip(-1)(file)

    with pytest.raises(OSError, match="the checksum of a cached answer is wrong"):
        await content(disk, "u")
    assert await content(disk, "u") is None


async def test_a_disk_that_takes_nothing_keeps_nothing_and_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    disk = DiskCache(tmp_path / "file")

    with caplog.at_level(logging.WARNING):
        await put(disk, "u", b"x")

    assert await content(disk, "u") is None
    assert "the cache cannot keep an answer" in caplog.text


async def test_what_a_crash_left_unfinished_is_deleted_in_time(disk: DiskCache, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    draft = folder / "new-1-abc"
    draft.write_bytes(b"half")
    now = int(draft.stat().st_mtime)
    await DiskCache(folder).put("", "u", NOTHING, head(kept_at=now, expires_at=now + 10), pieces(b"x"))
    assert draft.exists()

    await DiskCache(folder).put("", "u", NOTHING, head(kept_at=now + 3601, expires_at=now + 9999), pieces(b"x"))
    assert not draft.exists()
