"""What systemd tells a service and wants to hear from it: readiness, sockets, credentials.

Sources: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html,
https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html and https://systemd.io/CREDENTIALS/.
"""

import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from edgeworker.errors import ConfigError

_FIRST_DESCRIPTOR: Final = 3
_FILE_ENDING: Final = "_FILE"
_MOST_SECRET_BYTES: Final = 64 * 1024
REFUSED_RELOAD: Final = "the reload was refused; the version before keeps serving"


def notify(*assignments: str) -> None:
    """Tells the supervisor, if there is one: `READY=1`, `RELOADING=1`, `STOPPING=1`, `STATUS=...`."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.sendto("\n".join(assignments).encode(), address)
        except OSError:
            return  # the supervisor is gone; there is no one else to tell


def notify_reloading() -> None:
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def inherited_sockets(environ: Mapping[str, str]) -> dict[str, int]:
    """The listening sockets that systemd opened, by name ("edge", "https", "redirect", "api", "management").

    Without names the first one is the edge's. They belong to this process only if LISTEN_PID says so: systemd knows
    the first process of the single binary, which starts the one that serves.
    """
    processes = (os.getpid(), os.getppid()) if getattr(sys, "frozen", False) else (os.getpid(),)
    if environ.get("LISTEN_PID", "") not in {str(process) for process in processes}:
        return {}
    try:
        count = int(environ.get("LISTEN_FDS", "0"))
    except ValueError:
        return {}
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    found: dict[str, int] = {}
    for number in range(count):
        name = names[number] if number < len(names) else ""
        if name.endswith(".socket") or name in ("", "unknown"):
            name = "edge" if number == 0 else f"socket {number}"
        found[name] = _FIRST_DESCRIPTOR + number
    return found


class SecretEnvironment(Mapping[str, str]):
    """The environment, with `NAME` read from the file that `NAME_FILE` names, or from a credential of that name.

    A credential is a file of $CREDENTIALS_DIRECTORY. What the environment has by itself wins over both. A file is read
    when its name is asked for, because other programs have such variables too. One line end at its end is not part of
    the secret. Looking a name up raises ConfigError for its file if that cannot be read; a credential that cannot be
    read as text is not among all names.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        folder = environ.get("CREDENTIALS_DIRECTORY")
        self._credentials = {file.name: file for file in Path(folder).iterdir()} if folder else {}

    def __getitem__(self, name: str) -> str:
        if name in self._environ:
            return self._environ[name]
        place = self._environ.get(name + _FILE_ENDING, "")
        if place.startswith("/"):
            return _read(Path(place), name + _FILE_ENDING)
        if name in self._credentials:
            return _read(self._credentials[name], "$CREDENTIALS_DIRECTORY")
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        # systemd gives a service credentials of other kinds as well, such as keys in binary form.
        texts = (name for name, file in self._credentials.items() if _is_secret_text(file))
        return iter(dict.fromkeys((*self._environ, *texts)))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _is_secret_text(file: Path) -> bool:
    try:
        _read(file, "")
    except ConfigError:
        return False
    return True


def _read(file: Path, where: str) -> str:
    try:
        content = file.read_bytes()
        if len(content) > _MOST_SECRET_BYTES:
            raise ConfigError(f"{where}: {file} has more than {_MOST_SECRET_BYTES} bytes; a secret is shorter")
        return content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise ConfigError(f"{where}: {file} cannot be read: {error.strerror}; check the path and its owner") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where}: {file} is not UTF-8 text") from error
