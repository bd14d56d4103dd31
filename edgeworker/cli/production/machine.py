"""What an operator would regret about the machine: its disk, its clock, and how many files a process may open."""

import os
import shutil
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import edgeworker
from edgeworker.cli.production.finding import Finding
from edgeworker.cli.production.mounts import MOUNTS, find_kind, is_in_memory, is_shared
from edgeworker.config import Config
from edgeworker.host.descriptors import allowed_descriptors, connection_limit, wanted_descriptors
from edgeworker.server.certificates import format_moment

_MIB: Final = 1024 * 1024
# A write-ahead log alone grows to 64 MiB before it is cut, and a backup beside it takes as much as the database.
_FULL_BYTES: Final = 64 * _MIB
_NEARLY_FULL_BYTES: Final = 512 * _MIB
_FEW_CONNECTIONS: Final = 1000
_CLOCK_SLACK_SECONDS: Final = 300  # clocks of file systems, and of machines that a program was copied from
_DATABASES: Final = ("kv.sqlite", "kv.sqlite-wal", "state.sqlite", "state.sqlite-wal")


@dataclass(frozen=True, slots=True)
class Machine:
    """Moments in epoch seconds, 0: not known. `made_at` is when this program's file was written, `written_at` when the
    databases of the data directory were written last. `free_bytes` None: that cannot be told."""

    now: int
    made_at: int = 0
    written_at: int = 0
    descriptors: int = 1_048_576
    free_bytes: int | None = None
    is_writable: bool = True
    has_authorities: bool = True  # certificates of authorities that it trusts
    file_system: str = ""  # of the data directory, such as "ext4"


def read_machine(data: Path, *, now: int) -> Machine:
    """`data` is the data directory, which may not be there yet."""
    program = Path(sys.executable if getattr(sys, "frozen", False) else edgeworker.__file__)
    place = next((folder for folder in (data, *data.absolute().parents) if folder.is_dir()), Path("/"))
    try:
        free = shutil.disk_usage(place).free
    except OSError:
        free = None
    return Machine(
        now,
        _changed_at(program),
        max(_changed_at(data / name) for name in _DATABASES),
        allowed_descriptors(),
        free,
        os.access(place, os.W_OK | os.X_OK),
        _has_authorities(),
        _read_kind(place),
    )


def audit_machine(config: Config, data: Path, machine: Machine) -> Iterator[Finding]:
    """Pure."""
    yield from _disk(data, machine)
    yield from _clock(data, machine)
    yield from _descriptors(config, machine)
    if not machine.has_authorities and config.outbound.ca_file is None:
        yield Finding(
            "warning",
            "authorities",
            "the certificates of this machine",
            "it trusts no certificate authority",
            "every https URL is refused: origins, JWKS_URL, an ACME directory and what workers fetch",
            'apt-get install ca-certificates; or outbound.ca_file = "FILE" in edge.toml',
        )


def _disk(data: Path, machine: Machine) -> Iterator[Finding]:
    if not machine.is_writable:
        yield Finding(
            "error",
            "data-directory",
            str(data),
            "this user cannot write into it, or make it",
            "the edge does not start: KV, tokens and published workers are there",
            "give it to the user that the edge runs as, or run this check as that user; a disk that is mounted "
            "read-only has to be mounted anew",
        )
    if is_in_memory(machine.file_system):
        yield Finding(
            "warning",
            "in-memory",
            str(data),
            f"it is in memory ({machine.file_system})",
            "tokens, keys, KV and published workers are gone when the machine or its container starts again",
            "a directory on a disk, such as /var/lib/edgeworker; in a container a volume",
        )
    if is_shared(machine.file_system):
        yield Finding(
            "warning",
            "network-file-system",
            str(data),
            f"it is not on a disk of this machine ({machine.file_system})",
            "SQLite needs locks and shared memory that such a file system may not have: databases can be damaged",
            "a directory on a disk of this machine, and `edgeworker kv backup` for a copy elsewhere",
        )
    free = machine.free_bytes
    if free is None:
        return
    if free < _NEARLY_FULL_BYTES:
        yield Finding(
            "error" if free < _FULL_BYTES else "warning",
            "disk-full",
            str(data),
            f"{free // _MIB} MiB are free on its disk",
            "on a full disk no token is published and none is taken back; reading goes on",
            f"make room: {_NEARLY_FULL_BYTES // _MIB} MiB or more, and for backups as much again as the directory has",
        )


def _clock(data: Path, machine: Machine) -> Iterator[Finding]:
    later = [
        (moment, what)
        for moment, what in (
            (machine.made_at, "this program was made"),
            (machine.written_at, f"the databases in {data} were written"),
        )
        if moment > machine.now + _CLOCK_SLACK_SECONDS
    ]
    if later:
        moment, what = max(later)
        yield Finding(
            "error",
            "clock",
            "the clock of this machine",
            f"it says {format_moment(machine.now)}, and {what} at {format_moment(moment)}",
            "tokens and certificates are judged by it: those that ended pass, and new ones are refused",
            "set it, and keep it right by NTP (timedatectl set-ntp true)",
        )


def _descriptors(config: Config, machine: Machine) -> Iterator[Finding]:
    wanted = config.limits.connections
    if wanted is not None and wanted_descriptors(wanted) > machine.descriptors:
        yield Finding(
            "error" if wanted > machine.descriptors else "warning",
            "descriptors",
            "edge.toml: limits.connections",
            f"{wanted} connections want {wanted_descriptors(wanted)} file descriptors with those to origins, and a "
            f"process of this user may have {machine.descriptors}",
            "they are used up before the limit is reached: then no one is answered instead of the last ones refused",
            f"LimitNOFILE={wanted_descriptors(wanted)} in the unit (ulimit -Hn), or connections = "
            f"{connection_limit(machine.descriptors)}",
        )
    elif wanted is None and connection_limit(machine.descriptors) < _FEW_CONNECTIONS:
        yield Finding(
            "warning",
            "descriptors",
            "the limit of file descriptors",
            f"a process of this user may have {machine.descriptors}, which is enough for "
            f"{connection_limit(machine.descriptors)} connections",
            "more clients than that are refused",
            "LimitNOFILE=65536 in the unit (ulimit -Hn)",
        )


def _has_authorities() -> bool:
    """A bare Debian, and its image for containers, has none."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile is not None:
        return True
    try:
        return paths.capath is not None and any(Path(paths.capath).iterdir())
    except OSError:
        return False


def _read_kind(place: Path) -> str:
    try:
        return find_kind(place.resolve(), MOUNTS.read_text("utf-8", "surrogateescape"))
    except OSError:  # a system without it
        return ""


def _changed_at(file: Path) -> int:
    try:
        return int(file.stat().st_mtime)
    except OSError:
        return 0
