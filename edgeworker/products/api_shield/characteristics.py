"""By what a rate limit counts: the client's network, or any value of the Rules language. Pure.

`ip.src` counts an IPv4 address, and of IPv6 a /64: one client has all of the rest.
Source: https://developers.cloudflare.com/waf/rate-limiting-rules/parameters/#with-the-same-characteristics
"""

from hashlib import blake2b
from typing import Final

from edgeworker.expressions import CUSTOM_RULES, Facts
from edgeworker.expressions.values import TextReader, compile_text, parse_text_value
from edgeworker.messages.client_network import client_network

CLIENT_NETWORK: Final = "ip.src"
# A counter has many keys: a long one, such as a token, is kept as its hash. It is no secret in memory then, either.
_LONGEST_KEY: Final = 32


def compile_characteristic(text: str) -> TextReader:
    """Raises ExpressionError for what is neither a text nor a number."""
    if text.strip() == CLIENT_NETWORK:
        return _network_of
    read = compile_text(parse_text_value(text, CUSTOM_RULES))

    def key_of(facts: Facts) -> bytes | None:
        value = read(facts)
        if value is None or len(value) <= _LONGEST_KEY:
            return value
        # One byte longer than any text that is its own key, so that no text can be the hash of another one.
        return b"#" + blake2b(value, digest_size=_LONGEST_KEY).digest()

    return key_of


def _network_of(facts: Facts) -> bytes:
    return client_network(str(facts.field(CLIENT_NETWORK))).encode("ascii", "replace")
