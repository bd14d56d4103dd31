"""The local authority: made once, kept, and what it signs renewed in time."""

import shutil
import stat
from pathlib import Path

import pytest

from edgeworker.errors import ConfigError, StoreError
from edgeworker.host.tls.authority import RENEW_BEFORE_SECONDS, Authority
from edgeworker.host.tls.x509 import AUTHORITY_DAYS
from edgeworker.server.certificates import read_pair
from tests.pki import DAY, NOW


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.made(tmp_path, now=NOW)[0]


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    assert Authority.open(tmp_path, now=NOW) is None
    first, was_made = Authority.made(tmp_path, now=NOW)
    second, was_made_again = Authority.made(tmp_path, now=NOW + 100 * DAY)

    assert (was_made, was_made_again) == (True, False)
    assert first.certificate == second.certificate


def test_only_the_authoritys_certificate_can_be_read_by_others(authority: Authority) -> None:
    authority.add_names(["api.cloudflare.com"])
    authority.issued(["a.example"], now=NOW)

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in authority.folder.iterdir()}
    assert modes == {"ca.key": 0o600, "ca.pem": 0o644, "edge.pem": 0o600, "names": 0o600}
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700


def test_a_certificate_is_kept_while_it_has_every_name(authority: Authority) -> None:
    first = authority.issued(["a.example", "B.example"], now=NOW)
    same = authority.issued(["b.example"], now=NOW + DAY)
    more = authority.issued(["c.example"], now=NOW + DAY)

    assert same == first
    # What another configuration asked for stays: it may be running on the same data directory.
    assert set(more.facts.names) == {"a.example", "b.example", "c.example"}
    assert read_pair(more.certificate.cert, more.certificate.key, now=NOW + DAY, where="x") == more.facts


def test_a_certificate_is_renewed_thirty_days_before_its_end(authority: Authority) -> None:
    first = authority.issued(["a.example"], now=NOW)

    kept = authority.issued(["a.example"], now=first.renew_at - 1)
    renewed = authority.issued(["a.example"], now=first.renew_at)

    assert first.renew_at == first.facts.not_after - RENEW_BEFORE_SECONDS
    assert kept == first
    assert renewed.facts.not_after > first.facts.not_after


def test_towards_the_end_of_the_authority_nothing_is_renewed_in_vain(authority: Authority) -> None:
    late = NOW + (AUTHORITY_DAYS - 10) * DAY

    first = authority.issued(["a.example"], now=late)

    assert authority.issued(["a.example"], now=late + DAY) == first
    assert first.facts.not_after == authority.facts.not_after


def test_a_certificate_that_is_broken_or_of_another_authority_is_made_anew(
    authority: Authority, tmp_path: Path
) -> None:
    first = authority.issued(["a.example"], now=NOW)
    first.certificate.cert.write_text("broken")
    second = authority.issued(["a.example"], now=NOW)
    (tmp_path / "other").mkdir()
    stranger = Authority.made(tmp_path / "other", now=NOW)[0].issued(["a.example"], now=NOW)
    shutil.copy(stranger.certificate.cert, second.certificate.cert)
    third = authority.issued(["a.example"], now=NOW)

    for issued in (second, third):
        assert issued.facts.names == ("a.example",)
    assert third.certificate.cert.read_bytes() != stranger.certificate.cert.read_bytes()


def test_names_that_were_asked_for_once_are_in_every_certificate(authority: Authority) -> None:
    authority.add_names(["API.cloudflare.com", "*.cloudflareaccess.com"])
    authority.add_names(["api.cloudflare.com"])

    assert authority.names() == ("api.cloudflare.com", "*.cloudflareaccess.com")
    assert authority.issued(["a.example"], now=NOW).facts.names == (
        "a.example",
        "api.cloudflare.com",
        "*.cloudflareaccess.com",
    )


def test_a_name_that_cannot_stand_in_a_certificate_changes_nothing(authority: Authority) -> None:
    with pytest.raises(ConfigError):
        authority.add_names(["good.example", "*.com"])

    assert authority.names() == ()


def test_a_key_that_others_may_read_is_refused(authority: Authority, tmp_path: Path) -> None:
    (authority.folder / "ca.key").chmod(0o640)

    with pytest.raises(StoreError, match="others may read the key of the local authority; run: chmod 600"):
        Authority.open(tmp_path, now=NOW)


def test_an_authority_is_never_made_anew_in_place_of_a_broken_one(authority: Authority, tmp_path: Path) -> None:
    key = authority.folder / "ca.key"
    content = key.read_text()
    key.write_text("broken " + content[:40])

    with pytest.raises(StoreError) as raised:
        Authority.made(tmp_path, now=NOW)
    assert "are not a local authority: the key is not in PEM form" in str(raised.value)
    assert content[:40] not in str(raised.value)

    key.unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        Authority.made(tmp_path, now=NOW)


def test_an_expired_authority_is_said_to_be(authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has expired, at 20.* make another one"):
        Authority.made(tmp_path, now=authority.facts.not_after + 1)


def test_a_data_directory_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be kept"):
        Authority.made(tmp_path / "missing", now=NOW)
