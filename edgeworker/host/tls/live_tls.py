"""What https sockets are served with while an edge runs: renewed when its files change and when its time comes."""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from edgeworker.clock import Clock
from edgeworker.config import TLS, Certificate, Config
from edgeworker.errors import ConfigError, EdgeworkerError, StoreError
from edgeworker.host.acme.files import ACMEFiles
from edgeworker.host.acme.ordering import require_library
from edgeworker.host.acme.policy import Validity, renew_at
from edgeworker.host.file_states import States, states
from edgeworker.host.tls.authority import Authority
from edgeworker.routing import served_names
from edgeworker.server.certificates import format_moment, read_pair
from edgeworker.server.tls import LoadedCertificate, load_certificate, select_by_host
from edgeworker.tls_settings import ACME

_log = logging.getLogger(__name__)

WARN_BEFORE_SECONDS: Final = 14 * 86_400
_AUTHORITIES_WAIT: Final = "\nUntil then tls.client_ca and tls.client_crl hold as they were before their change."
_ORDERED: Final = "tls.acme"  # the source of the certificate that ACME ordered


@dataclass(frozen=True, slots=True)
class _Served:
    """`edge` asks clients for certificates where that is configured, `api` never does. `due` is when to look again
    even if no file has changed (epoch seconds). `for_api` are `certificates` where clients are asked for none."""

    edge: ssl.SSLContext
    api: ssl.SSLContext
    certificates: Sequence[LoadedCertificate]
    for_api: Sequence[LoadedCertificate]
    files: tuple[Path, ...]
    client_ca: States
    due: int | None

    @property
    def ends(self) -> int:
        """The last second of the certificate that ends first."""
        return min(one.facts.not_after for one in self.certificates)

    @property
    def begins(self) -> int:
        """The first second of the certificate that begins last."""
        return max(one.facts.not_before for one in self.certificates)

    def is_valid(self, now: int) -> bool:
        return self.begins <= now <= self.ends


@dataclass(frozen=True, slots=True)
class PreparedTLS:
    """A configuration whose certificates were read and can be served."""

    config: Config
    served: _Served


class TLSListener(Protocol):
    async def replace_tls(self, context: ssl.SSLContext) -> None:
        """New connections are served with `context`; those that are there stay as they are."""
        ...


class LiveTLS:
    """The contexts of the current configuration. `check` is to be called now and then.

    The certificates are those of `config.tls`; without any, one of the local authority in the data directory for
    every name that the configuration serves. With `tls.acme` the ordered one joins them as soon as it is there. A
    certificate that cannot be used is told, and the one before stays, while others are renewed. One that has expired is
    served if there is no better one: most hosts may have others, and an edge that does not start helps no one.
    """

    def __init__(self, config: Config, clock: Clock, *, data: Path) -> None:
        """Makes the local authority where it is needed and missing; `made_authority` then says so.

        Raises ConfigError or StoreError.
        """
        self._clock = clock
        self._data = data
        self._config = config
        self._listeners: list[tuple[TLSListener, bool]] = []
        self._building = asyncio.Lock()
        self._told: set[str] = set()
        self._told_expiry = 0
        self._told_of_ordered: set[str] = set()
        self.authority: Authority | None = None
        self.made_authority = False
        self._served = self._build(config, is_strict=False)
        self._loaded = self._seen = states(self._served.files)

    @property
    def edge(self) -> ssl.SSLContext:
        return self._served.edge

    @property
    def api(self) -> ssl.SSLContext:
        return self._served.api

    @property
    def ends(self) -> int:
        """The last second of the certificate that ends first."""
        return self._served.ends

    def serves(self, listener: TLSListener, *, api: bool = False) -> None:
        """From now on `listener` gets every new context."""
        self._listeners.append((listener, api))

    async def prepare(self, config: Config) -> PreparedTLS:
        """What `use` takes. Raises ConfigError or StoreError, and then nothing has changed."""
        if config.tls == self._config.tls and self._is_current(config.tls):
            return PreparedTLS(config, self._served)
        served = await self._build_beside(config, is_strict=self._served.is_valid(self._clock.now()))
        return PreparedTLS(config, served)

    def _is_current(self, tls: TLS) -> bool:
        """Whether what is served was made of these settings alone, and of the files as they are now."""
        return bool(tls.certificates) and tls.acme is None and states(self._served.files) == self._loaded

    async def use(self, prepared: PreparedTLS) -> None:
        self._config = prepared.config
        if prepared.served is not self._served:
            await self._switch(prepared.served)

    async def check(self) -> None:
        """Looks at the files and at the clock, and renews what is served. Never raises for what is wrong with it."""
        now = self._clock.now()
        state = states(self._served.files)
        settled, self._seen = state == self._seen, state
        self._tell_expiry(now)
        if state == self._loaded and (self._served.due is None or now < self._served.due):
            return
        if not settled:
            return  # a certificate and its key are written one after the other
        config = self._config
        before = self._served
        try:
            served = await self._build_beside(config, is_strict=before.is_valid(now), before=before)
        except EdgeworkerError as error:
            changed = before.client_ca != states(_client_authorities(config.tls))
            self._tell_unusable(f"{error}{_AUTHORITIES_WAIT if changed else ''}")
            return
        if self._config is not config or all(one in before.certificates for one in served.certificates):
            return  # a reload was faster, or there is nothing new
        await self._switch(served)
        _log.info("https: new certificates are served, valid until %s", format_moment(served.ends))

    async def _switch(self, served: _Served) -> None:
        self._served = served
        self._loaded = self._seen = states(served.files)
        self._told.clear()
        for listener, is_api in self._listeners:
            await listener.replace_tls(served.api if is_api else served.edge)

    async def _build_beside(self, config: Config, *, is_strict: bool, before: _Served | None = None) -> _Served:
        """In a thread: each certificate takes some milliseconds. One at a time, because the authority issues one."""
        async with self._building:
            return await asyncio.to_thread(self._build, config, is_strict=is_strict, before=before)

    def _build(self, config: Config, *, is_strict: bool, before: _Served | None = None) -> _Served:
        """`is_strict`: a certificate that is not valid now is refused. Those of `before`, which the same configuration
        made, serve on in place of what cannot be used.
        """
        now = self._clock.now()
        tls, due = config.tls, None
        files: list[Path] = []
        if tls.acme is not None:
            files.append(ACMEFiles.of(self._data).certificate(tls.acme))
            tls = self._with_ordered(tls, tls.acme, files[0], now)
        if not tls.certificates:
            tls, due = self._with_authority(config, now)
        checked_at = now if is_strict else None
        authorities = _client_authorities(tls)
        client_ca = states(authorities)
        if before is not None and before.client_ca != client_ca:
            before = None  # their contexts would let in clients that were revoked
        certificates, for_api = [], []
        for one in tls.certificates:
            loaded, api_loaded = self._load(tls, one, checked_at, before)
            certificates.append(loaded)
            for_api.append(api_loaded)
        edge = select_by_host(certificates)
        api = edge if tls.client_auth == "none" else select_by_host(for_api)
        files += [file for one in tls.certificates for file in (one.cert, one.key)]
        return _Served(edge, api, certificates, for_api, (*files, *authorities), client_ca, due)

    def _load(
        self, tls: TLS, certificate: Certificate, now: int | None, before: _Served | None
    ) -> tuple[LoadedCertificate, LoadedCertificate]:
        """For the edge and for the API."""
        where = certificate.source or "tls.certificates"
        try:
            loaded = load_certificate(tls, certificate, now=now, where=where)
            if tls.client_auth == "none":
                return loaded, loaded
            return loaded, load_certificate(replace(tls, client_auth="none"), certificate, now=now, where=where)
        except ConfigError as error:
            for kept, kept_for_api in zip(before.certificates, before.for_api, strict=True) if before else ():
                if kept.certificate == certificate:
                    self._tell_unusable(str(error))
                    return kept, kept_for_api
            raise

    def _tell_unusable(self, text: str) -> None:
        """Once, until another certificate is served."""
        if text not in self._told:
            self._told.add(text)
            _log.error("%s\nThe certificate before this change keeps being served.", text)

    def _with_ordered(self, tls: TLS, acme: ACME, file: Path, now: int) -> TLS:
        """With the certificate that was ordered, once it is there and can be used. Until then one of before for such a
        host stays: a new host, another directory or a damaged file must not take away the certificate that clients
        trust. The local authority's serves if there is none, which is told.
        """
        require_library()
        usable: Path | None = None
        if file.exists():
            try:
                read_pair(file, file, now=now, where="tls.acme")
                usable = file
            except ConfigError as error:
                self._tell_once("error", f"{error}\nIt is ordered again.")
        usable = usable or self._ordered_before(acme, now)
        if usable is None:
            if not tls.certificates:
                text = "https: no certificate of [tls.acme] can be used; until one is ordered, "
                self._tell_once("warning", f"{text}that of the local authority is served, which clients do not trust")
            return tls
        files = ACMEFiles.of(self._data)
        if usable == file:
            self._told_of_ordered.clear()
            with suppress(OSError, StoreError):
                files.keep_served(file)
        elif file.exists():
            self._tell_once("warning", f"https: the certificate from before keeps being served: {usable}")
        return replace(tls, certificates=(*tls.certificates, Certificate(usable, usable, source=_ORDERED)))

    def _tell_once(self, level: str, text: str) -> None:
        if text not in self._told_of_ordered:
            self._told_of_ordered.add(text)
            (_log.error if level == "error" else _log.warning)("%s", text)

    def _ordered_before(self, acme: ACME, now: int) -> Path | None:
        for file in ACMEFiles.of(self._data).other_certificates(acme):
            with suppress(ConfigError):
                if set(read_pair(file, file, now=now, where="tls.acme").names) & set(acme.hosts):
                    return file
        return None

    def _with_authority(self, config: Config, now: int) -> tuple[TLS, int]:
        if self.authority is None:
            self.authority, self.made_authority = Authority.made(self._data, now=now)
        issued = self.authority.issued(served_names(config), now=now)
        return replace(config.tls, certificates=(issued.certificate,)), issued.renew_at

    def _tell_expiry(self, now: int) -> None:
        """Once a day from two weeks before the end. What the local authority or ACME renews is renewed before that."""
        begins = self._served.begins
        ending = min(self._served.certificates, key=lambda one: one.facts.not_after - self._warn_before(one))
        if begins <= now < ending.facts.not_after - self._warn_before(ending) or abs(now - self._told_expiry) < 86_400:
            return
        self._told_expiry = now
        if begins > now:
            _log.error("https: a certificate is not valid before %s; is the clock right?", format_moment(begins))
            return
        file, ends = ending.certificate.cert, ending.facts.not_after
        if ends < now:
            _log.error("https: a certificate has expired, at %s; clients refuse it: %s", format_moment(ends), file)
        else:
            _log.warning("https: a certificate ends at %s; renew it: %s", format_moment(ends), file)

    def _warn_before(self, one: LoadedCertificate) -> int:
        """Seconds. Of the ordered one, half of the time that its renewal has: it may live for a few days only."""
        acme = self._config.tls.acme
        if acme is None or one.certificate.source != _ORDERED:
            return WARN_BEFORE_SECONDS
        renewal = renew_at(Validity(one.facts.not_before, one.facts.not_after), acme)
        return min(WARN_BEFORE_SECONDS, (one.facts.not_after - renewal) // 2)


def _client_authorities(tls: TLS) -> list[Path]:
    return [file for file in (tls.client_ca, tls.client_crl) if file is not None]
