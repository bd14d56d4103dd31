"""Keeps the certificate of `tls.acme` renewed while an edge runs."""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from edgeworker.clock import Clock
from edgeworker.config import Config
from edgeworker.errors import ConfigError, EdgeworkerError, StoreError
from edgeworker.host.acme.files import ACMEFiles
from edgeworker.host.acme.ordering import OrderFailed, order_certificate
from edgeworker.host.acme.policy import Failures, Validity, is_due
from edgeworker.tls_settings import ACME

_log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS: Final = 5.0


async def keep_certificate(config: Callable[[], Config], data: Path, clock: Clock) -> None:
    """Until it is cancelled. Of several processes one calls this; all of them serve what it writes.

    What fails is told and tried again later: the certificate that is there stays.
    """
    files = ACMEFiles.of(data)
    while True:
        settings = config().tls.acme
        if settings is not None:
            await renew_if_due(settings, files, clock)
        await clock.sleep(LOOK_EVERY_SECONDS)


async def renew_if_due(settings: ACME, files: ACMEFiles, clock: Clock) -> bool:
    """Whether there is a new certificate now."""
    now = clock.now()
    failures = files.failures(settings)
    if not is_due(_validity(files.certificate(settings)), failures, settings, now=now):
        return False
    hosts = ", ".join(settings.hosts)
    _log.info("ACME: a certificate for %s is ordered at %s", hosts, settings.directory)
    try:
        files.write(files.certificate(settings), await _order_aside(settings, files))
    except asyncio.CancelledError:
        files.forget_challenges()
        raise
    except (OrderFailed, StoreError) as error:
        _log.error("ACME: no certificate for %s: %s", hosts, error)
        _note_failure(settings, files, failures, clock.now())
        return False
    from edgeworker.server.certificates import format_moment

    files.forget_failures(settings)
    validity = _validity(files.certificate(settings))
    _log.info(
        "ACME: %s has a certificate until %s", hosts, "?" if validity is None else format_moment(validity.not_after)
    )
    return True


async def _order_aside(settings: ACME, files: ACMEFiles) -> bytes:
    """In a thread that no stop of the edge waits for: an authority may be silent for half a minute at each question."""
    loop = asyncio.get_running_loop()
    ordered: asyncio.Future[bytes] = loop.create_future()

    def tell(certificate: bytes | None, error: BaseException | None = None) -> None:
        if ordered.done():
            return
        if error is not None:
            ordered.set_exception(error)
        elif certificate is not None:
            ordered.set_result(certificate)

    def order() -> None:
        with suppress(RuntimeError):  # the loop is closed
            try:
                loop.call_soon_threadsafe(tell, order_certificate(settings, files))
            except EdgeworkerError as error:
                loop.call_soon_threadsafe(tell, None, error)
            except BaseException as error:
                loop.call_soon_threadsafe(tell, None, error)
                raise

    threading.Thread(target=order, name="ACME order", daemon=True).start()
    return await ordered


def _note_failure(settings: ACME, files: ACMEFiles, before: Failures | None, now: int) -> None:
    try:
        files.note_failure(settings, Failures(1 if before is None else before.count + 1, now))
    except StoreError as error:
        _log.error("ACME: %s", error)


def _validity(certificate: Path) -> Validity | None:
    """None where there is none that can be read."""
    if not certificate.exists():
        return None
    # It brings cryptography, 10 MB, and each `serve` imports this module.
    from edgeworker.server.certificates import read_certificates, read_facts

    try:
        facts = read_facts(read_certificates(certificate, where="tls.acme")[0])
    except ConfigError as error:
        _log.error("ACME: %s", error)
        return None
    return Validity(facts.not_before, facts.not_after)
