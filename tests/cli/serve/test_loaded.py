"""A process that ends is started again with what the others serve, whatever lies on the disk by then."""

import os
import signal
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from edgeworker.cli.serve.loaded import LoadedConfigReporter
from edgeworker.config import Config, Worker
from edgeworker.host.child_reports import Report, ReportKind
from edgeworker.host.loaded_config import RestoredConfig
from tests.cli.running import SECONDS
from tests.cli.serve.serving import Served, serve, write_project
from tests.pki import PKI


def processes_of(served: Served, count: int, *, without: frozenset[int] = frozenset()) -> dict[int, str]:
    """The version that each of so many processes serves, without those that ended."""
    found: dict[int, str] = {}
    until = time.monotonic() + 3 * SECONDS
    while len(found) < count:
        assert time.monotonic() < until, found
        version, process = served.get().text.split()
        if int(process) not in without:
            found[int(process)] = version
    return found


def wait_until_kept(served: Served) -> None:
    """By the process that keeps it for all: if it did so later, it would keep what the test changes."""
    kept = "what is served is kept"
    if not any(kept in line for line in served.said):  # it may say so before the other process is ready
        served.wait_for(kept)


def test_a_process_that_ends_while_broken_files_lie_on_the_disk_serves_what_was_loaded(tmp_path: Path) -> None:
    config = write_project(tmp_path, "v1")

    with serve("-c", str(config), "--verbose", "--processes", "2", cwd=tmp_path) as served:
        first = processes_of(served, 2)
        wait_until_kept(served)
        text = config.read_text()
        config.write_text("name = \n")
        (tmp_path / "worker.py").write_text("def broken(:\n")

        killed = min(first)
        os.kill(killed, signal.SIGKILL)
        served.wait_for("started from what the other processes serve")
        again = processes_of(served, 2, without=frozenset({killed}))
        assert set(again.values()) == {"v1"}

        # The way back: mended files and a reload.
        config.write_text(text)
        write_project(tmp_path, "v2")
        served.send(signal.SIGHUP)
        for _ in range(2):
            served.wait_for('"message": "reloaded"')
        assert set(processes_of(served, 2).values()) == {"v2"}
        assert served.stop() == 0


def test_a_process_that_ends_does_not_take_up_files_that_no_one_has_reloaded(tmp_path: Path) -> None:
    config = write_project(tmp_path, "v1")

    with serve("-c", str(config), "--verbose", "--processes", "2", cwd=tmp_path) as served:
        first = processes_of(served, 2)
        wait_until_kept(served)
        write_project(tmp_path, "v2")

        os.kill(min(first), signal.SIGKILL)
        served.wait_for("started from what the other processes serve")

        assert set(processes_of(served, 2, without=frozenset({min(first)})).values()) == {"v1"}
        assert served.stop() == 0


def test_a_certificate_that_is_half_written_when_a_process_ends_is_served_as_it_was_and_then_followed(
    tmp_path: Path,
) -> None:
    """certbot writes a certificate and its key one after the other, and need not ask for a reload."""
    write_project(tmp_path, "v1")
    pki = PKI(tmp_path)
    first = pki.server("example.com")
    edge = tmp_path / "edge.toml"
    edge.write_text(
        'workers = [{ config = "wrangler.toml" }]\n[sockets]\nhttps = "127.0.0.1:0"\n'
        f'[[tls.certificates]]\ncert = "{first.cert}"\nkey = "{first.key}"\n'
    )
    before = first.cert.read_text()

    with serve("--edge", str(edge), "--verbose", "--processes", "2", cwd=tmp_path) as served:
        running = processes_of(served, 2)
        wait_until_kept(served)
        renewed = PKI(tmp_path).server("example.com", file="renewed")
        first.cert.write_bytes(renewed.cert.read_bytes())
        os.kill(min(running), signal.SIGKILL)
        served.wait_for("started from what the other processes serve")
        processes_of(served, 2, without=frozenset({min(running)}))
        assert certificates_of(served, 20) == {before}

        first.key.write_bytes(renewed.key.read_bytes())
        until = time.monotonic() + 3 * SECONDS
        while certificates_of(served, 20) != {renewed.cert.read_text()}:
            assert time.monotonic() < until
        assert served.stop() == 0


def certificates_of(served: Served, connections: int) -> set[str]:
    place = urlsplit(served.urls["https"])
    assert place.hostname is not None
    assert place.port is not None
    return {ssl.get_server_certificate((place.hostname, place.port)) for _ in range(connections)}


async def test_what_cannot_be_kept_is_told_once_and_what_was_kept_before_is_forgotten(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Else a process would start with the configuration of before the reload."""
    write_project(tmp_path)
    reports: list[Report] = []
    config = Config(workers=(Worker("w", tmp_path / "worker.py"),))
    reporter = LoadedConfigReporter(tmp_path / "a-file-of-no-directory" / "\0", reports.append)

    await reporter.keep(RestoredConfig(config, 0), lambda: False)
    await reporter.keep(RestoredConfig(config, 0), lambda: False)

    assert reports == [Report(ReportKind.LOADED)] * 2
    assert len(caplog.messages) == 1
