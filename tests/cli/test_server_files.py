"""`edgeworker init --template server`: the configuration of a gateway on a server of one's own."""

import os
import stat
from pathlib import Path

import pytest

from edgeworker.cli.server_files import write_server
from edgeworker.errors import ConfigError
from tests.cli.running import run

COMMAND = ("init", "etc", "--template", "server", "--host", "api.example.com", "--origin", "http://127.0.0.1:3000")


def test_it_is_a_configuration_without_a_mistake_that_guards_every_path_of_the_host(tmp_path: Path) -> None:
    done = run(*COMMAND, cwd=tmp_path)
    checked = run("check", "--edge", "etc/edge.toml", cwd=tmp_path)
    routes = run("routes", "--edge", "etc/edge.toml", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    edge = tmp_path / "etc" / "edge.toml"
    assert f"edgeworker serve --edge {edge} --processes 2 --print-unit > /etc/systemd/system/edgeworker" in done.stdout
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "api.example.com/*  " in routes.stdout


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes")
def test_the_user_of_the_service_reads_it_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_server(tmp_path / "etc", "api.example.com", "http://127.0.0.1:3000")
    finally:
        os.umask(before)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "etc", *(tmp_path / "etc").iterdir())}
    assert modes == {"etc": 0o755, "edge.toml": 0o644, "gateway.toml": 0o644}


@pytest.mark.parametrize(
    ("host", "origin", "error"),
    [
        (None, "http://127.0.0.1:3000", "needs --host and --origin"),
        ("api.example.com", None, "such as --host api.example.com --origin http://127.0.0.1:3000"),
        ("api.example.com:443", "http://127.0.0.1:3000", "contains a port"),
        ("10.0.0.1", "http://127.0.0.1:3000", "must be a full host name"),
        ("api", "http://127.0.0.1:3000", "must be a full host name"),
        ("*.example.com", "http://127.0.0.1:3000", "is not a host name"),
        ("api.example.com", "127.0.0.1:3000", "must be the base URL of a server"),
        ("api.example.com", "http://127.0.0.1:3000/v1", "must be the base URL of a server"),
    ],
)
def test_a_mistake_says_what_would_be_right(tmp_path: Path, host: str | None, origin: str | None, error: str) -> None:
    with pytest.raises(ConfigError, match=error):
        write_server(tmp_path, host, origin)

    assert list(tmp_path.iterdir()) == []


def test_nothing_of_the_operators_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text("mine")

    with pytest.raises(ConfigError, match=r"has edge\.toml already"):
        write_server(tmp_path, "api.example.com", "http://127.0.0.1:3000")

    assert (tmp_path / "edge.toml").read_text() == "mine"


def test_its_options_are_of_no_other_template(tmp_path: Path) -> None:
    done = run("init", "shop", "--host", "api.example.com", cwd=tmp_path)

    assert done.returncode == 1
    assert "--host and --origin are of --template server" in done.stderr
