"""A read of KV as workerd sends it, answered at once where that takes no waiting: bytes in, bytes out.

Whatever is not exactly such a read is left to the usual way, which also tells what is wrong with it.
"""

import hmac
import json
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from edgeworker.errors import KVError
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import Later
from edgeworker.runtime.workerd.capnp import KEY_FIELD, SERVICE_FIELD
from edgeworker.runtime.workerd.kept_reads import Expiries

_REQUEST_LINE: Final = re.compile(rb"GET /([!->@-~]+)\?urlencoded=true HTTP/1\.1\r\n")
_SERVICE: Final = SERVICE_FIELD.encode()
_KEY: Final = KEY_FIELD.encode()
_END: Final = b"\r\n\r\n"
_MISSING: Final = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
_MAX_VALUE_BYTES: Final = 64 * 1024
# A body would follow, or another protocol.
_UNEXPECTED_FIELDS: Final = frozenset({b"content-length", b"transfer-encoding", b"upgrade", b"connection", b"expect"})


def answer_read(data: bytes, key: bytes, namespaces: Mapping[bytes, KVNamespace], expiries: Expiries) -> bytes | None:
    """The response, or None. `data` is what came on a connection without a request under way; `key` proves that it is
    of our child; `namespaces` are by what stands in SERVICE_FIELD; `expiries` are told when what is read expires."""
    line = _REQUEST_LINE.match(data)
    if line is None or data.find(_END) != len(data) - len(_END):
        return None
    shown: list[bytes] = []
    services: list[bytes] = []
    for field in data[line.end() : -len(_END)].split(b"\r\n"):
        name, separator, value = field.partition(b": ")
        name = name.lower()
        if not separator or name in _UNEXPECTED_FIELDS:
            return None
        if name == _KEY:
            shown.append(value)
        elif name == _SERVICE:
            services.append(value)
    if len(shown) != 1 or len(services) != 1 or not hmac.compare_digest(shown[0], key):
        return None
    namespace = namespaces.get(services[0])
    if namespace is None:
        return None
    return _read(namespace, unquote(line[1].decode("ascii"), errors="surrogateescape"), expiries)


def _read(namespace: KVNamespace, key: str, expiries: Expiries) -> bytes | None:
    try:
        found = namespace.peek_with_metadata(key)
    except KVError:
        return None
    if found is None:
        return _MISSING
    if isinstance(found, Later) or len(found.value) > _MAX_VALUE_BYTES:
        return None
    expiries.add(found.expires_at)
    metadata = b"" if found.metadata is None else b"CF-KV-Metadata: %b\r\n" % json.dumps(found.metadata).encode("ascii")
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b\r\n%b" % (len(found.value), metadata, found.value)
