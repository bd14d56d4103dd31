"""Why requests were refused: the last ones of each process, in a file of fixed size that any process may read.

A record has a place of fixed length in the file: to write one is a short system call, and it is there for others at
once, also when this process ends. The file is not mapped: a part that another program cut off would end the process.
Nothing in it is a token, a path, an address or a person's name.
"""

import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

from edgeworker.clock import Clock
from edgeworker.errors import StoreError
from edgeworker.files import draft_of, make_folder
from edgeworker.messages.response import RefusalReason
from edgeworker.server.access_log import CLIENT_LEFT, AccessLogger, AccessLogRecord

_log = logging.getLogger(__name__)

FOLDER: Final = "run/refusals"
RING_BYTES: Final = 2 * 1024 * 1024  # of all processes together
RECORD_BYTES: Final = 1024
_READ_BYTES: Final = 64 * RECORD_BYTES
_UNUSED: Final = bytes(_READ_BYTES)
_NAME: Final = re.compile(r"([0-9]{1,4})\.ring")
_LONGEST_NAME: Final = 64  # bytes
_LONGEST_TEXT: Final = 240
_MOST_EVIDENCE: Final = 12
_TOKEN_RESULTS: Final = {
    "missing": "a bearer token was asked for, and the request shows none",
    "refused": "the bearer token that the request shows was not accepted",
}


@dataclass(frozen=True, slots=True)
class RecordedRefusal:
    """`at` is in epoch seconds; `number` counts what one process recorded."""

    ray: str
    number: int
    at: int
    status: int
    method: str
    host: str
    rule: str
    evidence: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "ray": self.ray,
            "at": self.at,
            "status": self.status,
            "method": self.method,
            "host": self.host,
            "rule": self.rule,
            "evidence": list(self.evidence),
        }


class RefusalRing:
    """The ring of one process."""

    def __init__(self, descriptor: int, places: int, next_number: int) -> None:
        """Use `open`."""
        self._descriptor = descriptor
        self._places = places
        self._next = next_number

    @classmethod
    def open(cls, data: Path, *, slot: int = 0, processes: int = 1) -> Self:
        """What the process before it in this slot recorded stays. Raises StoreError."""
        folder = data / FOLDER
        size = max(1, RING_BYTES // RECORD_BYTES // processes) * RECORD_BYTES
        try:
            make_folder(folder)
            if slot == 0:
                _remove_others(folder, processes)
            file = folder / f"{slot}.ring"
            if not file.exists() or file.stat().st_size != size:
                _make(file, size)
            with file.open("rb") as opened:
                last = max((record.number for record in _records(opened)), default=-1)
            return cls(os.open(file, os.O_WRONLY | os.O_CLOEXEC), size // RECORD_BYTES, last + 1)
        except OSError as error:
            raise StoreError(f"{folder}: refusals cannot be recorded: {error.strerror}") from error

    def record(self, *, ray: str, at: int, status: int, method: str, host: str, reason: RefusalReason) -> None:
        texts = [ray, _short(method, _LONGEST_NAME), _short(host, 2 * _LONGEST_NAME), _short(reason.rule)]
        evidence = [_short(text) for text in reason.evidence[:_MOST_EVIDENCE]]
        content = _encode(self._next, at, status, texts, evidence)
        while len(content) >= RECORD_BYTES and evidence:
            evidence.pop()
            content = _encode(self._next, at, status, texts, evidence)
        start = self._next % self._places * RECORD_BYTES
        with suppress(OSError):  # no request fails for it
            os.pwrite(self._descriptor, content[: RECORD_BYTES - 1].ljust(RECORD_BYTES, b"\0"), start)
        self._next += 1

    def close(self) -> None:
        os.close(self._descriptor)


def record_refusals(data: Path, clock: Clock, *, slot: int = 0, processes: int = 1) -> AccessLogger | None:
    """Records those of the finished requests that were refused. Where that is not possible, it is told and not done: no
    request fails for it."""
    try:
        ring = RefusalRing.open(data, slot=slot, processes=processes)
    except StoreError as error:
        _log.warning("%s", error)
        return None

    def record_refusal(record: AccessLogRecord) -> None:
        was_cut = not record.complete and record.refusal is not None
        if (record.status >= 400 or was_cut) and record.ray:
            ring.record(
                ray=record.ray,
                at=clock.now(),
                status=record.status,
                method=record.method,
                host=record.host,
                reason=_with_token(record.refusal or _default_reason(record), record.token),
            )

    return record_refusal


def _default_reason(record: AccessLogRecord) -> RefusalReason:
    if record.status == CLIENT_LEFT:
        return RefusalReason("no rule: the client left before its answer began")
    return RefusalReason(f"{record.served_by or 'the edge'} answered so")


def _with_token(reason: RefusalReason, result: str) -> RefusalReason:
    """What a script or product found of the request's token is evidence too; a good one refused nothing."""
    if result in ("", "accepted"):
        return reason
    text = _TOKEN_RESULTS.get(result, f"the token of the request: {result}")
    return RefusalReason(reason.rule, (*reason.evidence, text))


def recorded_refusals(data: Path) -> Iterator[RecordedRefusal]:
    """What all processes recorded, in no order. Raises StoreError where nothing was ever recorded there."""
    folder = data / FOLDER
    try:
        files = sorted(file for file in folder.iterdir() if _NAME.fullmatch(file.name))
        for file in files:
            with file.open("rb") as opened:
                yield from _records(opened)
    except FileNotFoundError:
        raise StoreError(
            f"{folder} is not there: no edge ran with this data directory; name it with --persist-to"
        ) from None
    except OSError as error:
        raise StoreError(f"{folder} cannot be read: {error.strerror}") from error


def _records(ring: BinaryIO) -> Iterator[RecordedRefusal]:
    """In the order of their places; no more than RING_BYTES are read."""
    for _ in range(0, RING_BYTES, _READ_BYTES):
        piece = ring.read(_READ_BYTES)
        if piece == _UNUSED:  # most of them, as a rule
            continue
        for start in range(0, len(piece), RECORD_BYTES):
            content = piece[start : start + RECORD_BYTES].partition(b"\0")[0]
            if content and (record := _decode(content)) is not None:
                yield record


def _encode(number: int, at: int, status: int, texts: list[str], evidence: list[str]) -> bytes:
    return json.dumps([number, at, status, *texts, evidence], separators=(",", ":"), ensure_ascii=False).encode()


def _decode(content: bytes) -> RecordedRefusal | None:
    """None for what is being written in this moment, or was written by another version."""
    try:
        number, at, status, ray, method, host, rule, evidence = json.loads(content)
        if not isinstance(number, int) or not isinstance(at, int) or not isinstance(status, int):
            return None
        return RecordedRefusal(
            str(ray), number, at, status, str(method), str(host), str(rule), tuple(map(str, evidence))
        )
    except (ValueError, TypeError):
        return None


def _short(text: str, most: int = _LONGEST_TEXT) -> str:
    """At most so many bytes, without what JSON would make much longer."""
    plain = "".join(c if c.isprintable() and c != "\\" else "?" for c in text[:most])
    content = plain.encode("utf-8", "replace")
    return plain if len(content) <= most and len(text) <= most else content[: most - 3].decode("utf-8", "ignore") + "…"


def _make(file: Path, size: int) -> None:
    """A file of this size with what was recorded in the one before. That one is replaced, never cut: another process
    may still write into it. The room is taken now, while someone can be told that the disk is full.
    """
    old: list[RecordedRefusal] = []
    if file.exists():
        with file.open("rb") as opened:
            old = sorted(_records(opened), key=lambda record: record.number)
    with draft_of(file, durable=False) as draft:
        os.posix_fallocate(draft.file.fileno(), 0, size)
        for record in old[-(size // RECORD_BYTES) :]:
            draft.file.seek(record.number * RECORD_BYTES % size)
            texts = [record.ray, record.method, record.host, record.rule]
            draft.file.write(_encode(record.number, record.at, record.status, texts, list(record.evidence)))


def _remove_others(folder: Path, processes: int) -> None:
    """Rings of more processes than there are now: together they would be more than the bound."""
    for file in folder.iterdir():
        found = _NAME.fullmatch(file.name)
        if found is not None and int(found[1]) >= processes:
            file.unlink(missing_ok=True)
