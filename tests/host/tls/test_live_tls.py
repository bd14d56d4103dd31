"""Certificates follow their files and the clock, and a broken one never replaces one that works."""

import asyncio
import logging
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.config import TLS, Certificate, Config, Limits, Zone
from edgeworker.errors import ConfigError
from edgeworker.host.tls.live_tls import LiveTLS
from edgeworker.server import listen
from edgeworker.testing.clock import MovableClock
from tests.host.tls.handshakes import configured, shown
from tests.pki import CLIENT_SERIAL, DAY, NOW, PKI, revocation_list
from tests.server.wires import ANY_PORT, END, GET, Answering, hello


async def test_a_new_certificate_is_served_once_its_files_have_settled(
    pki: PKI, clock: MovableClock, tmp_path: Path
) -> None:
    live = LiveTLS(configured(pki.server("a.example", file="x")), clock, data=tmp_path)
    pki.server("a.example", "new.example", file="x")

    await live.check()
    while_it_may_be_half_written = await shown(live, authorities=pki.ca)
    await live.check()

    assert while_it_may_be_half_written == ["a.example"]
    assert await shown(live, authorities=pki.ca) == ["a.example", "new.example"]
    assert live.authority is None


async def test_a_broken_certificate_is_told_once_and_the_old_one_stays(
    pki: PKI, clock: MovableClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = pki.server("a.example", file="x")
    live = LiveTLS(configured(certificate), clock, data=tmp_path)
    certificate.cert.write_text("broken")

    for _ in range(5):
        await live.check()

    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(told) == 1
    assert f"{certificate.cert} holds no certificate in PEM form" in told[0]
    assert "keeps being served" in told[0]
    assert await shown(live, authorities=pki.ca) == ["a.example"]

    pki.server("mended.example", file="x")
    await live.check()
    await live.check()
    assert await shown(live, authorities=pki.ca) == ["mended.example"]

    certificate.cert.write_text("broken")
    await live.check()
    await live.check()
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 2


async def test_a_certificate_that_cannot_be_used_does_not_hold_up_the_renewal_of_others(
    pki: PKI, clock: MovableClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    abandoned = pki.server("b.example", file="b")
    live = LiveTLS(configured(pki.server("a.example", file="a"), abandoned), clock, data=tmp_path)
    abandoned.key.unlink()
    pki.server("a.example", "renewed.example", file="a")
    await live.check()
    await live.check()

    assert await shown(live, authorities=pki.ca) == ["a.example", "renewed.example"]
    assert await shown(live, name="b.example", authorities=pki.ca) == ["b.example"]
    for _ in range(5):
        await live.check()
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(told) == 1
    assert f"{abandoned.key} cannot be read" in told[0]

    pki.server("b.example", "mended.example", file="b")
    await live.check()
    await live.check()
    assert await shown(live, name="b.example", authorities=pki.ca) == ["b.example", "mended.example"]


async def test_no_certificate_stays_as_it_was_when_the_authorities_of_clients_change(
    pki: PKI, clock: MovableClock, tmp_path: Path
) -> None:
    """Its context would let in clients of an authority that was taken away, on its hosts alone."""
    one, broken = pki.server("a.example"), pki.server("b.example")
    (tmp_path / "clients.pem").write_bytes(pki.ca.read_bytes())
    tls = TLS((one, broken), client_auth="request", client_ca=tmp_path / "clients.pem")
    live = LiveTLS(Config(tls=tls), clock, data=tmp_path)
    before = live.edge
    broken.key.unlink()
    (tmp_path / "clients.pem").write_bytes(PKI(tmp_path).ca.read_bytes())
    await live.check()
    await live.check()

    assert live.edge is before
    pki.server("b.example")
    await live.check()
    await live.check()
    assert live.edge is not before


async def test_a_revocation_list_is_followed(pki: PKI, clock: MovableClock, tmp_path: Path) -> None:
    lists = tmp_path / "clients.crl"
    lists.write_bytes(revocation_list(pki))
    tls = TLS((pki.server("a.example"),), client_auth="request", client_ca=pki.ca, client_crl=lists)
    live = LiveTLS(Config(tls=tls), clock, data=tmp_path)
    before = live.edge
    lists.write_bytes(revocation_list(pki, CLIENT_SERIAL))
    await live.check()
    await live.check()

    assert live.edge is not before


async def test_a_revocation_list_that_a_broken_certificate_holds_up_is_told(
    pki: PKI, clock: MovableClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lists, broken = tmp_path / "clients.crl", pki.server("a.example")
    lists.write_bytes(revocation_list(pki))
    tls = TLS((broken,), client_auth="request", client_ca=pki.ca, client_crl=lists)
    live = LiveTLS(Config(tls=tls), clock, data=tmp_path)
    broken.key.unlink()
    lists.write_bytes(revocation_list(pki, CLIENT_SERIAL))
    await live.check()
    await live.check()

    assert "Until then tls.client_ca and tls.client_crl hold as they were before their change." in caplog.text


async def test_the_api_asks_for_no_certificate_of_clients_also_where_one_is_kept(
    pki: PKI, clock: MovableClock, tmp_path: Path
) -> None:
    kept = pki.server("b.example")
    tls = TLS((pki.server("a.example", file="a"), kept), client_auth="require", client_ca=pki.ca)
    live = LiveTLS(Config(tls=tls), clock, data=tmp_path)
    kept.key.unlink()
    pki.server("a.example", "renewed.example", file="a")
    await live.check()
    await live.check()

    assert (live.api.verify_mode, live.edge.verify_mode) == (ssl.CERT_NONE, ssl.CERT_REQUIRED)
    for context, mode in ((live.api, ssl.CERT_NONE), (live.edge, ssl.CERT_REQUIRED)):
        named = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
        callback = context.sni_callback
        assert callback is not None
        callback(named, "b.example", context)
        assert named.context is not context
        assert named.context.verify_mode == mode


async def test_a_file_that_is_gone_for_a_moment_changes_nothing(pki: PKI, clock: MovableClock, tmp_path: Path) -> None:
    certificate = pki.server("a.example")
    live = LiveTLS(configured(certificate), clock, data=tmp_path)
    certificate.key.unlink()
    await live.check()
    await live.check()

    assert await shown(live, authorities=pki.ca) == ["a.example"]


async def test_listeners_get_the_new_context_and_their_connections_live_on(
    pki: PKI, clock: MovableClock, tmp_path: Path
) -> None:
    live = LiveTLS(configured(pki.server("a.example", file="x")), clock, data=tmp_path)
    listener = await listen(Answering(hello), ANY_PORT, limits=Limits(), clock=clock, tls=live.edge)
    live.serves(listener)
    context = ssl.create_default_context(cafile=str(pki.ca))

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", listener.port, ssl=context, server_hostname="a.example")

    reader, writer = await connect()
    pki.server("a.example", "new.example", file="x")
    await live.check()
    await live.check()
    _, other = await connect()
    writer.write(GET + END)

    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    certificate = other.get_extra_info("peercert")
    assert ("DNS", "new.example") in certificate["subjectAltName"]
    writer.close()
    other.close()
    await listener.close(0)


async def test_without_certificates_the_local_authority_signs_for_every_host(
    clock: MovableClock, tmp_path: Path
) -> None:
    config = Config(zones=(Zone("example.com", "z"),))
    live = LiveTLS(config, clock, data=tmp_path)

    assert live.made_authority
    assert live.authority is not None
    names = await shown(live, name="example.com", authorities=live.authority.certificate_file)
    assert {"localhost", "example.com", "*.example.com"} <= set(names)
    assert not LiveTLS(config, clock, data=tmp_path).made_authority


async def test_a_new_host_of_the_configuration_gets_into_the_certificate(clock: MovableClock, tmp_path: Path) -> None:
    live = LiveTLS(Config(), clock, data=tmp_path)
    assert live.authority is not None

    await live.use(await live.prepare(Config(zones=(Zone("new.example", "z"),))))

    assert "new.example" in await shown(live, authorities=live.authority.certificate_file)


async def test_a_configuration_that_cannot_be_served_changes_nothing(
    pki: PKI, clock: MovableClock, tmp_path: Path
) -> None:
    live = LiveTLS(configured(pki.server("a.example")), clock, data=tmp_path)

    with pytest.raises(ConfigError):
        await live.prepare(configured(Certificate(tmp_path / "gone.pem", tmp_path / "gone.key")))
    await live.check()

    assert await shown(live, authorities=pki.ca) == ["a.example"]


async def test_a_reload_reads_no_certificate_that_has_not_changed(
    pki: PKI, clock: MovableClock, tmp_path: Path
) -> None:
    config = configured(pki.server("a.example"))
    live = LiveTLS(config, clock, data=tmp_path)
    before = live.edge

    await live.use(await live.prepare(replace(config, default_worker="gate")))
    assert live.edge is before
    await live.use(await live.prepare(configured(pki.server("b.example"))))
    assert live.edge is not before


async def test_a_reload_reads_a_certificate_that_was_renewed_in_its_place(
    pki: PKI, clock: MovableClock, tmp_path: Path
) -> None:
    config = configured(pki.server("a.example"))
    live = LiveTLS(config, clock, data=tmp_path)
    renewed = pki.server("b.example")
    for file, content in (
        (config.tls.certificates[0].cert, renewed.cert),
        (config.tls.certificates[0].key, renewed.key),
    ):
        file.write_bytes(content.read_bytes())

    await live.use(await live.prepare(config))

    assert await shown(live, authorities=pki.ca) == ["b.example"]


async def test_what_a_look_at_the_files_has_built_takes_no_place_of_a_reloads(
    pki: PKI, clock: MovableClock, tmp_path: Path
) -> None:
    config = configured(pki.server("a.example"))
    live = LiveTLS(config, clock, data=tmp_path)
    renewed = pki.server("b.example")
    config.tls.certificates[0].cert.write_bytes(renewed.cert.read_bytes())
    config.tls.certificates[0].key.write_bytes(renewed.key.read_bytes())
    await live.check()  # the files have changed, and may not be complete

    other = configured(pki.server("c.example"))
    prepared = await live.prepare(other)
    looking = asyncio.ensure_future(live.check())
    await asyncio.sleep(0)
    await live.use(prepared)
    await looking

    assert await shown(live, authorities=pki.ca) == ["c.example"]


async def test_the_local_certificate_is_renewed_by_the_clock(clock: MovableClock, tmp_path: Path) -> None:
    live = LiveTLS(Config(), clock, data=tmp_path)
    first = (tmp_path / "tls" / "edge.pem").read_bytes()

    clock.advance(366 * DAY)
    await live.check()
    too_early = (tmp_path / "tls" / "edge.pem").read_bytes()
    clock.advance(DAY)
    await live.check()

    assert too_early == first
    assert (tmp_path / "tls" / "edge.pem").read_bytes() != first


async def test_the_end_of_a_certificate_is_told_daily_two_weeks_before(
    pki: PKI, clock: MovableClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    live = LiveTLS(configured(pki.server("a.example")), clock, data=tmp_path)

    clock.advance(382 * DAY)
    await live.check()
    assert caplog.messages == []
    clock.advance(2 * DAY)
    await live.check()
    await live.check()
    clock.advance(DAY)
    await live.check()
    assert [message.split(" at ")[0] for message in caplog.messages] == ["https: a certificate ends"] * 2
    clock.advance(20 * DAY)
    await live.check()
    assert caplog.messages[-1].startswith("https: a certificate has expired, at ")
    assert all(message.endswith(f": {tmp_path / 'a.example.pem'}") for message in caplog.messages)


@pytest.fixture
def expired(tmp_path: Path) -> Certificate:
    return PKI(tmp_path, now=NOW - 500 * DAY).server("old.example")


async def test_an_edge_starts_and_reloads_with_a_certificate_that_has_expired_and_says_so(
    expired: Certificate, clock: MovableClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each other host has its own, and a process that ended must come back."""
    live = LiveTLS(configured(expired), clock, data=tmp_path)
    await live.prepare(configured(expired))
    await live.check()
    await live.check()

    assert [message.split(" at ")[0] for message in caplog.messages] == ["https: a certificate has expired,"]


async def test_no_expired_certificate_takes_the_place_of_one_that_is_valid(
    expired: Certificate, pki: PKI, clock: MovableClock, tmp_path: Path
) -> None:
    live = LiveTLS(configured(pki.server("a.example")), clock, data=tmp_path)

    with pytest.raises(ConfigError, match="has expired"):
        await live.prepare(configured(expired))


async def test_a_clock_that_is_before_the_certificate_is_told_and_stops_no_reload(
    pki: PKI, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = configured(pki.server("a.example"))
    live = LiveTLS(config, MovableClock(NOW - 30 * DAY), data=tmp_path)

    await live.prepare(config)
    await live.check()
    await live.check()

    assert [message.split(" before ")[0] for message in caplog.messages] == ["https: a certificate is not valid"]
