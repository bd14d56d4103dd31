"""What an operator would regret about the files of an edge: who may read and write them, and when certificates end."""

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edgeworker.cli.production.finding import Finding
from edgeworker.cli.production.settings import is_weak, weak_token
from edgeworker.cli.production.sockets import is_loopback
from edgeworker.clock import SystemClock
from edgeworker.config import Config
from edgeworker.errors import EdgeworkerError
from edgeworker.host.acme.ordering import read_eab_key
from edgeworker.host.tls.authority import RENEW_BEFORE_SECONDS, Authority
from edgeworker.server.certificates import (
    format_moment,
    read_certificates,
    read_facts,
    read_pair,
    read_revocation_lists,
)
from edgeworker.state import FILE_NAME, ApiToken, SQLiteState
from edgeworker.tls_settings import ACME

_OTHERS_READ: Final = stat.S_IRGRP | stat.S_IROTH
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_SECRET_FILES: Final = (".dev.vars", ".env")


def audit_files(config: Config, data: Path, *, now: int) -> Iterator[Finding]:
    """`data` is the data directory, which may not be there yet. Nothing is made or changed."""
    yield from _data_directory(data)
    yield from _sources(config)
    yield from _certificates(config, data, now)
    yield from _origin_files(config, now)
    if not data.is_dir() or os.access(data, os.R_OK | os.X_OK):  # the machine's audit tells of one that is closed
        yield from _kept_token(data / "api-token")
        yield from _tokens(data)


def _data_directory(data: Path) -> Iterator[Finding]:
    if not data.is_dir():
        return
    owner = data.stat().st_uid
    for file in (data, *sorted(data.rglob("*"))):
        mode = _mode(file)
        # Root may read what others own; the user of a service may not.
        if owner != 0 and (other := _owner(file)) not in (owner, None):
            yield Finding(
                "error",
                "file-owner",
                str(file),
                f"it belongs to user {other}, and the data directory to user {owner}",
                "the edge, which runs as the owner of the directory, cannot use it: it does not start, or not write",
                f"chown -R {owner} {data}",
            )
        if mode & _OTHERS_WRITE:
            yield Finding(
                "error",
                "file-writable",
                str(file),
                f"others may write it (mode {mode:04o})",
                "a user who can replace what is in the data directory can forge tokens",
                f"chmod go-w {file}",
            )
        elif mode & _OTHERS_READ and not file.is_dir() and file.name != "ca.pem":
            yield Finding(
                "error",
                "file-readable",
                str(file),
                f"others may read it (mode {mode:04o})",
                "it holds tokens, keys or what is in KV",
                f"chmod 600 {file}",
            )


def _sources(config: Config) -> Iterator[Finding]:
    scripts = [worker.main for worker in config.workers if worker.main is not None]
    for file in dict.fromkeys((*config.files, *scripts)):
        mode = _mode(file)
        if mode & stat.S_IWOTH:
            yield Finding(
                "error",
                "file-writable",
                str(file),
                f"everybody may write it (mode {mode:04o})",
                "a user who changes it changes what the edge does",
                f"chmod go-w {file}",
            )
        if file.name.startswith(_SECRET_FILES) and mode & _OTHERS_READ:
            yield _readable(file, mode)
    for folder in dict.fromkeys(file.parent for file in (*config.files, *scripts)):
        mode = _mode(folder)
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            yield Finding(
                "error",
                "file-writable",
                str(folder),
                f"everybody may put files into it (mode {mode:04o})",
                "a user who replaces a script or a configuration in it changes what the edge does",
                f"chmod o-w {folder}",
            )


def _certificates(config: Config, data: Path, now: int) -> Iterator[Finding]:
    sockets = [socket for socket in (config.https_socket, config.api_https_socket) if socket is not None]
    for certificate in config.tls.certificates:
        where = certificate.source or str(certificate.cert)
        yield from _pair(certificate.cert, certificate.key, where, now)
    if config.tls.client_ca is not None:
        yield from _authorities(config.tls.client_ca, "edge.toml: tls.client_ca", now)
    if config.tls.client_crl is not None:
        yield from _revocation_lists(config.tls.client_crl, "edge.toml: tls.client_crl", now)
    if config.tls.acme is not None:
        yield from _acme_files(config.tls.acme, now)
    if not sockets or config.tls.certificates:
        return
    try:
        Authority.open(data, now=now)
    except EdgeworkerError as error:
        yield _unusable(str(data / "tls"), str(error))
    if any(not is_loopback(socket.host) for socket in sockets):
        yield Finding(
            "warning",
            "local-authority",
            "edge.toml: tls.certificates",
            "https is served with the local authority's certificate beyond this machine",
            "only programs that are configured to trust it do; people learn to ignore the warning of others",
            "[[tls.certificates]] with a certificate of an authority that your clients know",
        )


def _acme_files(acme: ACME, now: int) -> Iterator[Finding]:
    if acme.ca is not None:
        yield from _authorities(acme.ca, "edge.toml: tls.acme.ca", now)
    if acme.eab_key_file is None:
        return
    try:
        read_eab_key(acme.eab_key_file)
    except EdgeworkerError as error:
        yield _unusable("edge.toml: tls.acme.eab_key_file", str(error))
    mode = _mode(acme.eab_key_file)
    if mode & _OTHERS_READ:
        yield _readable(acme.eab_key_file, mode)


def _origin_files(config: Config, now: int) -> Iterator[Finding]:
    if config.outbound.ca_file is not None:
        yield from _authorities(config.outbound.ca_file, "edge.toml: outbound.ca_file", now)
    for tls, where in (
        (config.origin_tls, "edge.toml"),
        *((zone.origin_tls, zone.source or f'zone "{zone.name}"') for zone in config.zones),
    ):
        if tls.ca_file is not None:
            yield from _authorities(tls.ca_file, f"{where}: origin_ca", now)
        if tls.client_cert is None or tls.client_key is None:
            continue
        yield from _pair(tls.client_cert, tls.client_key, f"{where}: origin_client_cert", now)


def _pair(certificate: Path, key: Path, where: str, now: int) -> Iterator[Finding]:
    try:
        ends = read_pair(certificate, key, now=now, where=where).not_after
    except EdgeworkerError as error:
        yield _unusable(where, str(error))
    else:
        yield from _ending(where, str(certificate), ends, now)
    mode = _mode(key)
    if mode & _OTHERS_READ:
        yield _readable(key, mode)


def _authorities(file: Path, where: str, now: int) -> Iterator[Finding]:
    try:
        ends = [read_facts(certificate).not_after for certificate in read_certificates(file, where=where)]
    except EdgeworkerError as error:
        yield _unusable(where, str(error))
        return
    yield from _ending(where, str(file), min(ends), now)


def _revocation_lists(file: Path, where: str, now: int) -> Iterator[Finding]:
    try:
        updates = [one.next_update_utc for one in read_revocation_lists(file, where=where)]
    except EdgeworkerError as error:
        yield _unusable(where, str(error))
        return
    overdue = [moment for moment in updates if moment is not None and moment.timestamp() < now]
    if overdue:
        yield Finding(
            "error",
            "revocation-list-ends",
            where,
            f"a list in {file} has ended at {format_moment(int(min(overdue).timestamp()))}",
            "every client that shows a certificate of that authority is refused",
            "write the authority's new list there; a running edge takes it up by itself",
        )


def _ending(where: str, file: str, ends: int, now: int) -> Iterator[Finding]:
    if ends - now < RENEW_BEFORE_SECONDS:
        yield Finding(
            "error" if ends < now else "warning",
            "certificate-ends",
            where,
            f"{file} {'has ended' if ends < now else 'ends'} at {format_moment(ends)}",
            "who verifies it refuses it from then on",
            "renew it; a running edge takes up the new files by itself",
        )


def _kept_token(file: Path) -> Iterator[Finding]:
    try:
        token = file.read_text("utf-8").strip()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        yield _unusable(str(file), f"the API token cannot be read: {error}")
        return
    if is_weak(token):
        yield weak_token(str(file), "remove the file: a random one is made at the next start")


def _tokens(data: Path) -> Iterator[Finding]:
    if not (data / FILE_NAME).exists():
        return
    try:
        tokens = asyncio.run(_list_tokens(data))
    except EdgeworkerError as error:
        yield _unusable(str(data), str(error))
        return
    for token in tokens:
        if token.expires_at is None:
            yield Finding(
                "warning",
                "token-without-end",
                f'API token "{token.name}" ({token.id})',
                "it never expires",
                "one that is forgotten somewhere works for ever",
                "edgeworker token create NAME --allow ... --expires 90d, then revoke this one",
            )
        if "everything" in token.permissions:
            yield Finding(
                "warning",
                "token-for-everything",
                f'API token "{token.name}" ({token.id})',
                "it may do everything",
                "its holder can read, write and delete every namespace",
                "--allow kv:write:ID for a publisher",
            )


async def _list_tokens(data: Path) -> list[ApiToken]:
    async with SQLiteState(data, SystemClock()) as state:
        return await state.api_tokens.list()


def _readable(file: Path, mode: int) -> Finding:
    return Finding(
        # A group is often there for this: Debian's ssl-cert.
        "error" if mode & stat.S_IROTH else "warning",
        "file-readable",
        str(file),
        f"others may read it (mode {mode:04o})",
        "it holds a secret",
        f"chmod 600 {file}",
    )


def _unusable(where: str, text: str) -> Finding:
    return Finding("error", "unusable", where, text, "the edge does not start, or does not reload, with it", "mend it")


def _owner(file: Path) -> int | None:
    """None where there is no such file."""
    try:
        return file.lstat().st_uid
    except OSError:
        return None


def _mode(file: Path) -> int:
    """0 where there is no such file."""
    try:
        return stat.S_IMODE(file.stat().st_mode)
    except OSError:
        return 0
