"""What systemd tells a service and hears from it."""

import os
import socket
from pathlib import Path

import pytest

from edgeworker.errors import ConfigError
from edgeworker.host.systemd import SecretEnvironment, inherited_sockets, notify


def test_the_supervisor_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        notify("READY=1", "STATUS=fine")

        assert supervisor.recv(100) == b"READY=1\nSTATUS=fine"


def test_without_a_supervisor_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")
    notify("READY=1")


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, {}),
        ({"LISTEN_PID": "1", "LISTEN_FDS": "1"}, {}),  # meant for another process
        ({"LISTEN_PID": "me", "LISTEN_FDS": "1"}, {"edge": 3}),
        ({"LISTEN_PID": "me", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "https:redirect"}, {"https": 3, "redirect": 4}),
        ({"LISTEN_PID": "me", "LISTEN_FDS": "x"}, {}),
        ({"LISTEN_PID": "me", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "edgeworker.socket"}, {"edge": 3}),
    ],
)
def test_sockets_that_systemd_opened_have_names(environ: dict[str, str], found: dict[str, int]) -> None:
    told = {name: str(os.getpid()) if value == "me" else value for name, value in environ.items()}

    assert inherited_sockets(told) == found


def test_of_the_single_binary_systemd_knows_the_first_process(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"LISTEN_PID": str(os.getppid()), "LISTEN_FDS": "1"}

    assert inherited_sockets(environ) == {}
    monkeypatch.setattr("sys.frozen", True, raising=False)
    assert inherited_sockets(environ) == {"edge": 3}


def test_secrets_come_from_files_and_credentials(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "TOKEN").write_text("from a credential")
    environ = SecretEnvironment(
        {
            "KEY_FILE": str(tmp_path / "key"),
            "PLAIN": "p",
            "PLAIN_FILE": "/nope",
            "RELATIVE_FILE": "key",
            "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials"),
        }
    )

    assert environ["KEY"] == "from a file"
    assert environ["TOKEN"] == "from a credential"
    assert environ["PLAIN"] == "p"
    assert environ.get("RELATIVE") is None
    assert environ.get("NOT_THERE") is None
    assert "TOKEN" in set(environ)


def test_a_credential_that_is_no_text_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "KEY").write_text("text")
    (tmp_path / "tls.pkcs12").write_bytes(b"\x30\x82\xff")
    (tmp_path / "large").write_bytes(b"x" * 100_000)
    (tmp_path / "folder").mkdir()

    environ = SecretEnvironment({"PLAIN": "p", "CREDENTIALS_DIRECTORY": str(tmp_path)})

    assert dict(environ) == {"PLAIN": "p", "CREDENTIALS_DIRECTORY": str(tmp_path), "KEY": "text"}
    with pytest.raises(ConfigError, match=r"tls\.pkcs12 is not UTF-8"):
        environ["tls.pkcs12"]


def test_a_secret_file_that_cannot_be_read_is_an_error_when_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 100_000)
    (tmp_path / "binary").write_bytes(b"\xff")
    environ = SecretEnvironment(
        {"A_FILE": "/nope/a", "B_FILE": str(tmp_path / "large"), "C_FILE": str(tmp_path / "binary")}
    )

    for name, text in (
        ("A", "No such file"),
        ("B", "has more than 65536 bytes; a secret is shorter"),
        ("C", "not UTF-8"),
    ):
        with pytest.raises(ConfigError, match=text):
            environ[name]
