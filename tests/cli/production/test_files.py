"""What an operator would regret about files: who may read and write them, and when certificates end."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.cli.production.files import audit_files
from edgeworker.config import TLS, Certificate, Config, OriginTLS, Outbound, Socket, Worker, Zone
from edgeworker.host.datadir import DataDir
from edgeworker.host.tls.authority import Authority
from edgeworker.state import SQLiteState
from edgeworker.tls_settings import ACME
from tests.kv.clocks import FakeClock
from tests.pki import DAY, NOW, PKI, revocation_list

HTTPS = Config(https_socket=Socket("127.0.0.1", 8443))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return DataDir.open(tmp_path / "data").path


@pytest.fixture
def pki(tmp_path: Path) -> PKI:
    (tmp_path / "pki").mkdir()
    return PKI(tmp_path / "pki")


def owned(certificate: Certificate) -> Certificate:
    certificate.key.chmod(0o600)
    return certificate


def create_tokens(data: Path, tokens: Mapping[str, tuple[str, int | None]]) -> None:
    """By name: what each may do, and until when."""

    async def create() -> None:
        async with SQLiteState(data, FakeClock()) as state:
            for name, (permission, expires_at) in tokens.items():
                await state.api_tokens.create(name, [permission], now=NOW, expires_at=expires_at)

    asyncio.run(create())


def audited(config: Config, data: Path, *, now: int = NOW) -> list[tuple[str, str, str]]:
    found = audit_files(config, data, now=now)
    return [(finding.severity, finding.rule, finding.where) for finding in found]


def test_what_an_edge_makes_by_itself_is_not_regretted(data: Path) -> None:
    DataDir.open(data).api_token()
    Authority.made(data, now=NOW)[0].issued(["a.example"], now=NOW)
    create_tokens(data, {"publisher": ("kv:write", NOW + DAY)})

    assert audited(HTTPS, data) == []


def test_a_data_directory_that_is_not_there_yet_is_fine_and_not_made(tmp_path: Path) -> None:
    assert audited(HTTPS, tmp_path / "data") == []
    assert not (tmp_path / "data").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_another_user_than_the_directory_keeps_the_edge_from_it(data: Path) -> None:
    file = data / "kv.sqlite"
    file.touch(0o600)
    os.chown(data, 65534, 65534)

    assert audited(Config(), data) == [("error", "file-owner", str(file))]
    os.chown(file, 65534, 65534)
    assert audited(Config(), data) == []


@pytest.mark.parametrize(
    ("mode", "rule"), [(0o644, "file-readable"), (0o640, "file-readable"), (0o620, "file-writable")]
)
def test_files_of_the_data_directory_are_the_owners_alone(data: Path, mode: int, rule: str) -> None:
    file = data / "kv.sqlite"
    file.touch()
    file.chmod(mode)

    assert audited(Config(), data) == [("error", rule, str(file))]


def test_a_data_directory_that_others_can_write_is_an_error(data: Path) -> None:
    data.chmod(0o770)

    assert audited(Config(), data) == [("error", "file-writable", str(data))]


def test_sources_that_everybody_can_write_and_secrets_that_others_can_read_are_errors(
    tmp_path: Path, data: Path
) -> None:
    script, variables, settings = tmp_path / "worker.py", tmp_path / ".dev.vars", tmp_path / "wrangler.toml"
    for file, mode in ((script, 0o666), (variables, 0o644), (settings, 0o644)):
        file.touch()
        file.chmod(mode)
    config = Config(workers=(Worker("w", script),), files=(settings, variables))

    assert audited(config, data) == [
        ("error", "file-readable", str(variables)),
        ("error", "file-writable", str(script)),
    ]


@pytest.mark.parametrize(
    ("days", "found"),
    [(0, []), (366, []), (367, [("warning", "certificate-ends")]), (397, [("error", "unusable")])],
)
def test_certificates_that_end_soon_are_told(pki: PKI, data: Path, days: int, found: list[tuple[str, str]]) -> None:
    config = replace(HTTPS, tls=TLS((owned(pki.server("a.example")),)))

    assert [(severity, rule) for severity, rule, _ in audited(config, data, now=NOW + days * DAY)] == found


def test_keys_that_others_may_read_are_told(pki: PKI, data: Path) -> None:
    certificate = pki.server("a.example")
    certificate.key.chmod(0o604)
    cert, key = pki.client("edge")
    key.chmod(0o640)
    zone = Zone("a.example", "z", "https://o.example", origin_tls=OriginTLS(pki.ca, True, cert, key))
    config = replace(HTTPS, tls=TLS((certificate,)), zones=(zone,))

    assert [one for one in audited(config, data) if one[1] == "file-readable"] == [
        ("error", "file-readable", str(certificate.key)),
        ("warning", "file-readable", str(key)),
    ]


def test_certificates_of_origins_and_authorities_are_looked_at(pki: PKI, data: Path, tmp_path: Path) -> None:
    cert, key = pki.client("edge")  # for two days
    key.chmod(0o600)
    gone = tmp_path / "gone.pem"
    settings = OriginTLS(gone, True, cert, key)
    zone = Zone("a.example", "z", "https://o.example", source="edge.toml:1 (zones[0])", origin_tls=settings)
    config = Config(zones=(zone,), outbound=Outbound(ca_file=gone), tls=TLS(client_ca=gone))

    assert audited(config, data) == [
        ("error", "unusable", "edge.toml: tls.client_ca"),
        ("error", "unusable", "edge.toml: outbound.ca_file"),
        ("error", "unusable", "edge.toml:1 (zones[0]): origin_ca"),
        ("warning", "certificate-ends", "edge.toml:1 (zones[0]): origin_client_cert"),
    ]


def test_revocation_lists_that_have_ended_are_told(pki: PKI, data: Path) -> None:
    lists = pki.folder / "clients.crl"
    tls = TLS(client_auth="require", client_ca=pki.ca, client_crl=lists)
    found = []
    for content in (b"", revocation_list(pki, days=1), revocation_list(pki, days=30)):
        lists.write_bytes(content)
        found.append(audited(Config(tls=tls), data))

    assert found == [
        [("error", "unusable", "edge.toml: tls.client_crl")],
        [("error", "revocation-list-ends", "edge.toml: tls.client_crl")],
        [],
    ]


def test_what_an_acme_authority_needs_is_looked_at(data: Path, tmp_path: Path) -> None:
    key = tmp_path / "eab"
    key.write_text("a2V5")
    key.chmod(0o644)
    acme = ACME("https://a.test/dir", ("a.test",), True, ca=tmp_path / "gone", eab_key_id="1", eab_key_file=key)

    found = audited(Config(tls=TLS(acme=acme)), data)
    key.write_text("not base64!")
    key.chmod(0o600)

    assert found == [("error", "unusable", "edge.toml: tls.acme.ca"), ("error", "file-readable", str(key))]
    assert audited(Config(tls=TLS(acme=acme)), data)[1:] == [("error", "unusable", "edge.toml: tls.acme.eab_key_file")]


def test_the_local_authority_is_for_this_machine(data: Path) -> None:
    Authority.made(data, now=NOW)
    config = Config(https_socket=Socket("0.0.0.0", 443))

    assert audited(config, data) == [("warning", "local-authority", "edge.toml: tls.certificates")]


def test_a_local_authority_that_cannot_be_used_is_told(data: Path) -> None:
    authority, _ = Authority.made(data, now=NOW)
    (authority.folder / "ca.key").write_text("broken")

    assert [rule for _, rule, _ in audited(HTTPS, data)] == ["unusable"]
    assert audited(Config(), data) == []


def test_named_tokens_that_can_do_everything_or_never_end_are_told(data: Path) -> None:
    tokens = {"good": ("kv:write", NOW + DAY), "forever": ("kv:write", None), "all": ("everything", NOW + DAY)}
    create_tokens(data, tokens)

    found = sorted((where.split(" (")[0], rule) for _, rule, where in audited(Config(), data))

    assert found == [('API token "all"', "token-for-everything"), ('API token "forever"', "token-without-end")]


@pytest.mark.parametrize(("mode", "regretted"), [(0o777, True), (0o773, True), (0o1777, False), (0o775, False)])
def test_a_folder_whose_sources_everybody_can_replace_is_an_error(
    tmp_path: Path, data: Path, mode: int, regretted: bool
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    script = folder / "worker.py"
    script.touch(0o644)
    folder.chmod(mode)

    found = audited(Config(workers=(Worker("w", script),)), data)

    assert found == ([("error", "file-writable", str(folder))] if regretted else [])


def test_a_kept_token_that_can_be_guessed_is_an_error(data: Path) -> None:
    file = data / "api-token"
    file.touch(0o600)

    for text in ("hunter2\n", "abc" * 20, ""):
        file.write_text(text)
        assert audited(Config(), data) == [("error", "weak-token", str(file))]
    file.write_bytes(b"\xff")
    assert audited(Config(), data) == [("error", "unusable", str(file))]
