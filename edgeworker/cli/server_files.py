"""The configuration of a split-token gateway on a server of one's own, as `init --template server` writes it."""

import json
from pathlib import Path
from typing import Final

from edgeworker.errors import ConfigError
from edgeworker.messages.hosts import canonical_host, is_address
from edgeworker.schema.value_types import BASE_URL

EDGE: Final = "edge.toml"
_GATEWAY: Final = "gateway.toml"

_EDGE_TEXT: Final = """\
# The split-token gateway in front of an API. `edgeworker check --production --edge edge.toml` says what to think about.

[sockets]
https = "0.0.0.0:443"
redirect = "0.0.0.0:80"             # sends everyone to https, and answers an ACME authority
# api = "127.0.0.1:8788"            # where tokens are published
# management = "127.0.0.1:9787"     # /metrics, /status, /healthz, /readyz

[[zones]]
name = "{host}"
origin = {origin}

[[workers]]
config = "gateway.toml"
default_script = true               # the split-token script that edgeworker brings

# The certificate. Without one of these, the local authority of the data directory signs it: enough for a first try.
#
# [tls.acme]                        # ordered by itself, and renewed
# directory = "https://acme-v02.api.letsencrypt.org/directory"
# hosts = ["{host}"]
# terms_agreed = true               # to the authority's terms of service
#
# [[tls.certificates]]              # or your own files
# hosts = ["{host}"]
# cert = "/etc/edgeworker/tls/fullchain.pem"
# key = "/etc/edgeworker/tls/key.pem"
"""
_GATEWAY_TEXT: Final = """\
# What a Worker is on Cloudflare. The variables of the split-token script: JWKS_URL, ISSUER and AUDIENCE let it verify
# each token; without them the API behind it does.
name = "gateway"
compatibility_date = "2026-04-01"
compatibility_flags = ["python_workers"]
workers_dev = false
routes = [{{ pattern = "{host}/*", zone_name = "{host}" }}]

# The namespace that the publisher of tokens writes to.
[[kv_namespaces]]
binding = "TOKENS"
id = "tokens"

[vars]
REALM = "api"
"""
_READABLE: Final = 0o644
_ENTERABLE: Final = 0o755


def write_server(folder: Path, host: str | None, origin: str | None) -> list[str]:
    """Writes them and returns their names. They hold no secret, and the user of a service reads them whatever the
    umask is.

    Raises ConfigError.
    """
    if not host or not origin:
        raise ConfigError(
            "--template server needs --host and --origin: the host that clients ask for and the server behind it, such "
            "as --host api.example.com --origin http://127.0.0.1:3000"
        )
    host = canonical_host(host)
    if is_address(host) or "." not in host:
        raise ConfigError(f'--host "{host}" must be a full host name, such as "api.example.com"')
    if not BASE_URL.fits(origin):
        raise ConfigError(f'--origin "{origin}" must be {BASE_URL.expected}')
    texts = {EDGE: _EDGE_TEXT, _GATEWAY: _GATEWAY_TEXT}
    taken = [name for name in texts if (folder / name).exists()]
    if taken:
        raise ConfigError(
            f"{folder} has {', '.join(taken)} already, and nothing is overwritten; give another folder, or move them"
        )
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(_ENTERABLE)
        for name, text in texts.items():
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text.format(host=host, origin=json.dumps(origin)))
            (folder / name).chmod(_READABLE)
    except OSError as error:
        raise ConfigError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from error
    return list(texts)
