"""`edgeworker tls` as a person uses it."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from tests.cli.running import run


def names(folder: Path) -> set[str]:
    certificate = x509.load_pem_x509_certificate((folder / ".edgeworker" / "tls" / "edge.pem").read_bytes())
    alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(address) for address in alternatives.get_values_for_type(x509.IPAddress)}
    return set(alternatives.get_values_for_type(x509.DNSName)) | addresses


def test_init_makes_an_authority_once_and_a_certificate_for_every_configured_host(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text("")
    (tmp_path / "wrangler.toml").write_text(
        'name = "hello"\nmain = "worker.py"\ncompatibility_flags = ["python_workers"]\n'
        'compatibility_date = "2026-11-01"\nworkers_dev = true\n'
        'routes = ["a.b.example.com/*", { pattern = "shop.example.org", custom_domain = true }]\n'
    )

    first = run("tls", "init", "--san", "api.cloudflare.com", "--san", "*.cloudflareaccess.com", cwd=tmp_path)
    authority = (tmp_path / ".edgeworker" / "tls" / "ca.pem").read_bytes()
    second = run("tls", "init", cwd=tmp_path)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert "made a local certificate authority" in first.stdout
    assert "is there already" in second.stdout
    assert (tmp_path / ".edgeworker" / "tls" / "ca.pem").read_bytes() == authority
    assert names(tmp_path) == {
        *("localhost", "*.localhost", "127.0.0.1", "::1"),
        *("a.b.example.com", "example.com", "*.example.com", "shop.example.org", "example.org", "*.example.org"),
        "hello.local.workers.dev",
        *("api.cloudflare.com", "*.cloudflareaccess.com"),
    }


def test_every_way_to_trust_it_is_told_with_the_file_to_trust(tmp_path: Path) -> None:
    shown = run("tls", "init", cwd=tmp_path).stdout
    again = run("tls", "show", cwd=tmp_path).stdout

    file = tmp_path / ".edgeworker" / "tls" / "ca.pem"
    for text in (shown, again):
        for way in (
            f"curl --cacert {file} ",
            "update-ca-certificates",
            "update-ca-trust",
            "security add-trusted-cert",
            "certutil -addstore",
            "Firefox",
            'certutil -d "sql:$HOME/.pki/nssdb" -A -t C,,',
            f"NODE_EXTRA_CA_CERTS={file}",
            f"SSL_CERT_FILE={file}",
            "keytool -importcert",
        ):
            assert way in text
    assert "PRIVATE KEY" not in shown + again


def test_the_authoritys_certificate_is_exported(tmp_path: Path) -> None:
    run("tls", "init", cwd=tmp_path)
    kept = (tmp_path / ".edgeworker" / "tls" / "ca.pem").read_text()

    assert run("tls", "export", cwd=tmp_path).stdout == kept
    assert run("tls", "show", "--path", cwd=tmp_path).stdout == ".edgeworker/tls/ca.pem\n"
    assert run("tls", "export", "--der", "--out", "ca.der", cwd=tmp_path).returncode == 0
    found = x509.load_der_x509_certificate((tmp_path / "ca.der").read_bytes())
    assert found == x509.load_pem_x509_certificate(kept.encode())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["show"], "there is no local certificate authority; make it with: edgeworker tls init"),
        (["export"], "there is no local certificate authority"),
        (["init", "--san", "*"], '"*"'),
        (["init", "--san", "https://a.example"], '"https://a.example" is not a host name'),
        (["init", "--san", "*.com"], '"*.com" cannot stand in a certificate'),
    ],
)
def test_mistakes_are_told_in_one_line_and_make_nothing(tmp_path: Path, arguments: list[str], text: str) -> None:
    done = run("tls", *arguments, cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert text in done.stderr
    assert not (tmp_path / ".edgeworker").exists()


def test_what_is_made_is_the_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    subprocess.run(
        ["sh", "-c", 'umask 000; exec "$0" "$@"', *_command("tls", "init", "--san", "a.example")],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )

    folder = tmp_path / ".edgeworker"
    modes = {str(file.relative_to(folder)): stat.S_IMODE(file.stat().st_mode) for file in (folder, *folder.rglob("*"))}
    assert modes.pop("tls/ca.pem") == 0o644
    assert modes == {".": 0o700, "tls": 0o700, "tls/ca.key": 0o600, "tls/edge.pem": 0o600, "tls/names": 0o600}


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "edgeworker", *arguments]
