"""Which certificate an edge shows, without sockets."""

import ssl
from contextlib import suppress
from pathlib import Path

from edgeworker.config import TLS, Certificate, Config
from edgeworker.host.tls.live_tls import LiveTLS


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
