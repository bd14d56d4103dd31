"""Certificates follow their files and the clock, and a broken one never replaces one that works."""

import asyncio
import logging
import ssl
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.config import TLS, Certificate, Config, Limits, Zone
from edgeworker.errors import ConfigError
from edgeworker.host.acme.files import ACMEFiles
from edgeworker.host.tls.live_tls import LiveTLS
from edgeworker.server import listen
from edgeworker.testing.clock import MovableClock
from edgeworker.tls_settings import ACME
from tests.pki import DAY, NOW, PKI
from tests.server.wires import ANY_PORT, END, GET, Answering, hello


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOW)


@pytest.fixture
def pki(tmp_path: Path) -> PKI:
    return PKI(tmp_path)


async def shown(live: LiveTLS, *, name: str = "a.example", authorities: Path | None = None) -> list[str]:
    """The names of the certificate that a client of a new connection gets, without sockets."""
    client_in, client_out, server_in, server_out = (ssl.MemoryBIO() for _ in range(4))
    context = ssl.create_default_context(cafile=None if authorities is None else str(authorities))
    context.check_hostname = False
    client = context.wrap_bio(client_in, client_out, server_hostname=name)
    server = live.edge.wrap_bio(server_in, server_out, server_side=True)
    for _ in range(3):
        for one, source, target in ((client, client_out, server_in), (server, server_out, client_in)):
            with suppress(ssl.SSLWantReadError):
                one.do_handshake()
            target.write(source.read())
    certificate = client.getpeercert()
    assert certificate is not None
    return [str(pair[1]) for pair in certificate["subjectAltName"]]


def configured(*certificates: Certificate) -> Config:
    return Config(tls=TLS(certificates))


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


async def test_a_file_that_is_gone_for_a_moment_changes_nothing(pki: PKI, clock: MovableClock, tmp_path: Path) -> None:
    certificate = pki.server("a.example")
    live = LiveTLS(configured(certificate), clock, data=tmp_path)
    certificate.key.unlink()
    await live.check()
    await live.check()

    assert await shown(live, authorities=pki.ca) == ["a.example"]


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
