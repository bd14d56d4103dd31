"""The certificate that ACME ordered: it serves until a better one is there, and its end is told when it is late."""

from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.config import TLS, Config
from edgeworker.host.acme.files import ACMEFiles
from edgeworker.host.tls.live_tls import LiveTLS
from edgeworker.host.tls.x509 import AUTHORITY_DAYS
from edgeworker.testing.clock import MovableClock
from edgeworker.tls_settings import ACME
from tests.host.tls.handshakes import shown
from tests.pki import DAY, NOW, PKI


async def test_a_certificate_that_was_ordered_before_serves_until_the_new_one_is_there(
    pki: PKI, clock: MovableClock, tmp_path: Path
) -> None:
    files = ACMEFiles.of(tmp_path / "data")

    def order(settings: ACME, *names: str) -> None:
        pair = pki.server(*names)
        files.write(files.certificate(settings), pair.key.read_bytes() + pair.cert.read_bytes())

    before = ACME("https://staging.example/dir", ("a.example",), True)
    order(before, "a.example")
    order(ACME("https://staging.example/dir", ("other.example",), True), "other.example")
    wanted = ACME("https://acme.example/dir", ("a.example", "b.example"), True)

    live = LiveTLS(Config(tls=TLS(acme=wanted)), clock, data=tmp_path / "data")

    assert await shown(live, authorities=pki.ca) == ["a.example"]
    assert live.authority is None
    order(wanted, "a.example", "b.example")
    await live.check()
    await live.check()
    assert await shown(live, authorities=pki.ca) == ["a.example", "b.example"]


@pytest.mark.parametrize("hosts", [("a.example",), ("a.example", "b.example")], ids=["same hosts", "a new host too"])
async def test_a_damaged_file_of_an_ordered_certificate_never_lets_the_local_authority_serve(
    pki: PKI, clock: MovableClock, tmp_path: Path, caplog: pytest.LogCaptureFixture, hosts: tuple[str, ...]
) -> None:
    files = ACMEFiles.of(tmp_path / "data")
    before, wanted = (ACME("https://acme.example/dir", names, True) for names in (("a.example",), hosts))
    pair = pki.server("a.example")
    files.write(files.certificate(before), pair.key.read_bytes() + pair.cert.read_bytes())
    live = LiveTLS(Config(tls=TLS(acme=before)), clock, data=tmp_path / "data")

    files.write(files.certificate(before), b"damaged")
    await live.use(await live.prepare(Config(tls=TLS(acme=wanted))))
    await live.check()
    await live.check()

    assert await shown(live, authorities=pki.ca) == ["a.example"]
    assert live.authority is None
    again = LiveTLS(Config(tls=TLS(acme=wanted)), clock, data=tmp_path / "data")
    assert await shown(again, authorities=pki.ca) == ["a.example"]
    if hosts == ("a.example",):
        assert "It is ordered again" in caplog.text
        assert "the certificate from before keeps being served" in caplog.text
    assert files.served.stat().st_mode & 0o077 == 0


async def test_that_the_local_authority_serves_in_place_of_an_ordered_certificate_is_told(
    pki: PKI, clock: MovableClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = ACME("https://acme.example/dir", ("a.example",), True)
    (tmp_path / "data").mkdir(exist_ok=True)

    live = LiveTLS(Config(tls=TLS(acme=wanted)), clock, data=tmp_path / "data")
    await live.check()

    assert live.authority is not None
    assert caplog.text.count("that of the local authority is served, which clients do not trust") == 1


async def test_one_that_has_ended_or_is_for_other_hosts_serves_no_longer(
    pki: PKI, clock: MovableClock, tmp_path: Path
) -> None:
    files = ACMEFiles.of(tmp_path / "data")
    pair = pki.server("other.example")
    other = ACME("https://acme.example/dir", ("other.example",), True)
    files.write(files.certificate(other), pair.key.read_bytes() + pair.cert.read_bytes())

    live = LiveTLS(Config(tls=TLS(acme=replace(other, hosts=("a.example",)))), clock, data=tmp_path / "data")

    assert live.authority is not None
    clock.advance(1000 * DAY)
    assert (
        LiveTLS(
            Config(tls=TLS(acme=replace(other, directory="https://new.example/dir"))), clock, data=tmp_path / "data"
        ).authority
        is not None
    )


@pytest.mark.parametrize(
    ("days", "renew_before", "told_after"),
    [
        (6, None, 5),  # Let's Encrypt's short-lived ones: renewed on day 4
        (90, None, 76),
        (90, 5, 88),
    ],
)
async def test_the_end_of_an_ordered_certificate_is_told_when_its_renewal_is_late(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, days: int, renew_before: int | None, told_after: int
) -> None:
    acme = ACME("https://a.test/dir", ("a.example",), True, renew_before_days=renew_before)
    ordered = PKI(tmp_path, now=NOW - (AUTHORITY_DAYS - days) * DAY).server("a.example", now=NOW)
    file = ACMEFiles.of(tmp_path).certificate(acme)
    file.parent.mkdir()
    file.write_bytes(ordered.key.read_bytes() + ordered.cert.read_bytes())
    clock = MovableClock(NOW)
    live = LiveTLS(Config(tls=TLS(acme=acme)), clock, data=tmp_path)

    clock.advance(told_after * DAY - DAY)
    await live.check()
    too_early = list(caplog.messages)
    clock.advance(DAY)
    await live.check()

    assert too_early == []
    assert [message.split(" at ")[0] for message in caplog.messages] == ["https: a certificate ends"]
