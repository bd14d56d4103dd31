"""What an operator would regret about the machine: one row each, and what is good says nothing."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.cli.production.machine import Machine, audit_machine, read_machine
from edgeworker.cli.production.mounts import MOUNTS
from edgeworker.config import Config, Limits, Outbound

NOW = 1_800_000_000
DAY = 86_400
MIB = 1024 * 1024
GOOD = Machine(NOW, made_at=NOW - DAY, written_at=NOW - 1, descriptors=65_536, free_bytes=10_000 * MIB)
DATA = Path("/var/lib/edgeworker")
MANY = Config(limits=Limits(connections=20_000))


def audited(machine: Machine, config: Config = MANY) -> list[tuple[str, str]]:
    return [(finding.severity, finding.rule) for finding in audit_machine(config, DATA, machine)]


@pytest.mark.parametrize(
    "machine",
    [GOOD, Machine(NOW), replace(GOOD, file_system="ext4"), replace(GOOD, made_at=NOW + 60, written_at=NOW + 60)],
)
def test_a_good_machine_is_not_regretted(machine: Machine) -> None:
    assert audited(machine) == []


@pytest.mark.parametrize(
    ("machine", "found"),
    [
        (replace(GOOD, free_bytes=400 * MIB), ("warning", "disk-full")),
        (replace(GOOD, free_bytes=0), ("error", "disk-full")),
        (replace(GOOD, is_writable=False), ("error", "data-directory")),
        (replace(GOOD, made_at=NOW + DAY), ("error", "clock")),
        (replace(GOOD, written_at=NOW + DAY), ("error", "clock")),
        (replace(GOOD, descriptors=32_768), ("warning", "descriptors")),
        (replace(GOOD, descriptors=1024), ("error", "descriptors")),
        (replace(GOOD, has_authorities=False), ("warning", "authorities")),
        (replace(GOOD, file_system="tmpfs"), ("warning", "in-memory")),
        (replace(GOOD, file_system="nfs4"), ("warning", "network-file-system")),
        (replace(GOOD, file_system="fuse.sshfs"), ("warning", "network-file-system")),
    ],
)
def test_each_of_these_is_told_once(machine: Machine, found: tuple[str, str]) -> None:
    assert audited(machine) == [found]


def test_a_low_limit_of_descriptors_is_told_where_no_limit_of_connections_is_configured() -> None:
    assert audited(replace(GOOD, descriptors=1024), Config()) == [("warning", "descriptors")]
    assert audited(replace(GOOD, descriptors=4096), Config()) == []


def test_a_machine_without_authorities_is_good_where_the_edge_has_its_own() -> None:
    config = replace(MANY, outbound=Outbound(ca_file=Path("/etc/edgeworker/ca.pem")))

    assert audited(replace(GOOD, has_authorities=False), config) == []


def test_authorities_are_looked_for_where_openssl_finds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "certs"))
    assert not read_machine(tmp_path, now=NOW).has_authorities
    (tmp_path / "certs").mkdir()  # as `openssl` makes it
    assert not read_machine(tmp_path, now=NOW).has_authorities

    (tmp_path / "certs" / "0a1b2c3d.0").touch()
    assert read_machine(tmp_path, now=NOW).has_authorities
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "nowhere"))
    (tmp_path / "ca.pem").touch()
    assert read_machine(tmp_path, now=NOW).has_authorities


def test_the_later_of_two_moments_proves_the_clock_wrong() -> None:
    machine = replace(GOOD, made_at=NOW + DAY, written_at=NOW + 2 * DAY)

    (finding,) = audit_machine(MANY, DATA, machine)

    assert "the databases in /var/lib/edgeworker were written at 2027-01-17" in finding.what


def test_this_machine_can_be_read_and_nothing_is_made(tmp_path: Path) -> None:
    machine = read_machine(tmp_path / "not" / "there", now=NOW)

    assert machine.made_at > 0
    assert machine.written_at == 0
    assert machine.free_bytes is not None
    assert machine.descriptors > 0
    assert machine.is_writable
    assert machine.file_system or not MOUNTS.exists()
    assert not (tmp_path / "not").exists()


def test_the_last_write_of_a_database_is_read(tmp_path: Path) -> None:
    for name, moment in (("kv.sqlite", NOW - 5), ("state.sqlite", NOW - 9)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (moment, moment))

    assert read_machine(tmp_path, now=NOW).written_at == NOW - 5
