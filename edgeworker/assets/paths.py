"""Which file answers a path. Pure: `exists` says whether there is a file.

Source: https://developers.cloudflare.com/workers/static-assets/routing/ and the asset worker in miniflare, from which
tests/conformance/cases/assets.json is recorded.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from edgeworker.config import HTMLHandling, NotFoundHandling

_INDEX = "/index"
_INDEX_HTML = "/index.html"
_HTML = ".html"


@dataclass(frozen=True, slots=True)
class Serve:
    """This file, with this status. `file` is a decoded path that begins with "/"."""

    file: str
    status: int = 200


@dataclass(frozen=True, slots=True)
class Redirect:
    """To the path under which a file is to be known; decoded, as `file`."""

    to: str


@dataclass(frozen=True, slots=True)
class _RedirectFor:
    """A redirect to `to`, if that path has no file of its own and would answer with `file`."""

    file: str
    to: str


def decide(
    path: str, exists: Callable[[str], bool], html: HTMLHandling, not_found: NotFoundHandling
) -> Serve | Redirect | None:
    """What answers the decoded path, or None where nothing does."""
    return _decide(path, exists, html, not_found, may_redirect=True)


def _decide(
    path: str, exists: Callable[[str], bool], html: HTMLHandling, not_found: NotFoundHandling, *, may_redirect: bool
) -> Serve | Redirect | None:
    for step in _STEPS[html](path):
        match step:
            case Serve(file):
                if exists(file):
                    return step
            case _RedirectFor(file, to):
                if may_redirect and not exists(to) and exists(file):
                    there = _decide(to, exists, html, not_found, may_redirect=False)
                    if isinstance(there, Serve) and there.file == file:
                        return Redirect(to)
    return _not_found(path, exists, not_found)


def _not_found(path: str, exists: Callable[[str], bool], handling: NotFoundHandling) -> Serve | None:
    match handling:
        case "none":
            return None
        case "single-page-application":
            return Serve(_INDEX_HTML) if exists(_INDEX_HTML) else None
        case "404-page":
            folder = path
            while folder:
                folder = folder.rpartition("/")[0]
                if exists(f"{folder}/404.html"):
                    return Serve(f"{folder}/404.html", 404)
            return None


_Steps = Iterator[Serve | _RedirectFor]


def _auto_trailing_slash(path: str) -> _Steps:
    """A page that is a file has no slash at its end, one that is the index of a folder has."""
    if path.endswith(_INDEX):
        folder, bare = path[:-5], path[:-6]
        yield Serve(path)
        yield _RedirectFor(path + _HTML, folder)
        yield _RedirectFor(bare + _HTML, bare)
    elif path.endswith(_INDEX_HTML):
        folder, bare = path[:-10], path[:-11]
        yield _RedirectFor(path, folder)
        yield _RedirectFor(bare + _HTML, bare)
    elif path.endswith("/"):
        yield Serve(path + "index.html")
        yield _RedirectFor(path[:-1] + _HTML, path[:-1])
    elif path.endswith(_HTML):
        bare = path[:-5]
        yield _RedirectFor(path, bare)
        yield _RedirectFor(bare + _INDEX_HTML, bare + "/")
    yield Serve(path)
    yield Serve(path + _HTML)
    yield _RedirectFor(path + _INDEX_HTML, path + "/")


def _force_trailing_slash(path: str) -> _Steps:
    """Every page has a slash at its end."""
    if path.endswith(_INDEX):
        yield Serve(path)
        yield _RedirectFor(path + _HTML, path[:-5])
        yield _RedirectFor(path[:-6] + _HTML, path[:-5])
    elif path.endswith(_INDEX_HTML):
        yield _RedirectFor(path, path[:-10])
        yield _RedirectFor(path[:-11] + _HTML, path[:-10])
    elif path.endswith("/"):
        yield Serve(path + "index.html")
        yield Serve(path[:-1] + _HTML)
    elif path.endswith(_HTML):
        folder = path[:-5] + "/"
        yield _RedirectFor(path, folder)
        yield Serve(path)
        yield _RedirectFor(folder + "index.html", folder)
    yield Serve(path)
    yield _RedirectFor(path + _HTML, path + "/")
    yield _RedirectFor(path + _INDEX_HTML, path + "/")


def _drop_trailing_slash(path: str) -> _Steps:
    """No page but the root has a slash at its end."""
    if path.endswith(_INDEX):
        bare = path[:-6]
        yield Serve(path)
        if bare:
            yield _RedirectFor(bare + _HTML, bare)
        yield _RedirectFor(path + _HTML, bare or "/")
    elif path.endswith(_INDEX_HTML):
        bare = path[:-11]
        yield _RedirectFor(path, bare or "/")
        if bare:
            yield Serve(path)
            yield _RedirectFor(bare + _HTML, bare)
    elif path == "/":
        yield Serve(_INDEX_HTML)
    elif path.endswith("/"):
        yield _RedirectFor(path[:-1] + _HTML, path[:-1])
        yield _RedirectFor(path + "index.html", path[:-1])
    elif path.endswith(_HTML):
        bare = path[:-5]
        yield _RedirectFor(path, bare)
        yield _RedirectFor(bare + _INDEX_HTML, bare)
    yield Serve(path)
    yield Serve(path + _HTML)
    yield Serve(path + _INDEX_HTML)


def _as_they_are(path: str) -> _Steps:
    yield Serve(path)


_STEPS: dict[HTMLHandling, Callable[[str], _Steps]] = {
    "auto-trailing-slash": _auto_trailing_slash,
    "force-trailing-slash": _force_trailing_slash,
    "drop-trailing-slash": _drop_trailing_slash,
    "none": _as_they_are,
}


def decode_path(path: str) -> str:
    """The path of a URL with its percent-encoding undone, segment by segment, and each run of slashes as one."""
    return re.sub("/+", "/", "/".join(_decoded_segment(segment) for segment in path.split("/")))


def _decoded_segment(segment: str) -> str:
    if re.search("%(?![0-9A-Fa-f]{2})", segment):
        return segment
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        return segment


def encode_path(path: str) -> str:
    """As JavaScript's encodeURIComponent does it for each segment: this is the one spelling that a file answers to."""
    return quote(path, safe="/-_.!~*'()")
