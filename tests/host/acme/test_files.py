"""What ACME keeps on the disk."""

from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.host.acme.files import ACMEFiles
from edgeworker.host.acme.policy import Failures
from edgeworker.tls_settings import ACME

SETTINGS = ACME("https://acme.test/dir", ("a.test", "b.test"), True)


def test_a_challenge_is_answered_while_it_is_under_way(tmp_path: Path) -> None:
    files = ACMEFiles.of(tmp_path)

    with files.challenge("token-1", "token-1.key"):
        assert ACMEFiles.of(tmp_path).find_challenge("token-1") == b"token-1.key"
        assert files.find_challenge("token-2") is None

    assert files.find_challenge("token-1") is None


@pytest.mark.parametrize("token", ["", ".", "..", "../../account", "a/b", "a\0b", "x" * 300, "é"])
def test_a_token_leads_nowhere_else(tmp_path: Path, token: str) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "account").write_text("secret")

    assert ACMEFiles.of(tmp_path).find_challenge(token) is None
    with (
        pytest.raises(StoreError, match="cannot be a file's name"),
        ACMEFiles.of(tmp_path).challenge(token, "x"),
    ):
        pass


def test_failures_are_kept_for_the_same_hosts_at_the_same_authority(tmp_path: Path) -> None:
    files = ACMEFiles.of(tmp_path)
    files.note_failure(SETTINGS, Failures(2, 500))

    assert files.failures(SETTINGS) == Failures(2, 500)
    assert files.failures(ACME(SETTINGS.directory, ("b.test", "a.test"), True)) == Failures(2, 500)
    assert files.failures(ACME(SETTINGS.directory, ("a.test",), True)) is None
    assert files.failures(ACME("https://other.test/dir", SETTINGS.hosts, True)) is None
    files.forget_failures(SETTINGS)
    assert files.failures(SETTINGS) is None


def test_what_is_kept_is_for_its_owner_only(tmp_path: Path) -> None:
    files = ACMEFiles.of(tmp_path)
    files.write(files.certificate(SETTINGS), b"key")

    assert files.certificate(SETTINGS).stat().st_mode & 0o077 == 0
    assert files.folder.stat().st_mode & 0o077 == 0
