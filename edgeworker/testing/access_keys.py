"""Signing keys for Access in tests: made once a process, because an RSA key costs more than all else in a test."""

from functools import cache

from edgeworker.clock import Clock
from edgeworker.config import Config
from edgeworker.products.access.config import access_config
from edgeworker.products.access.keys import KeySet, SigningKey, make_key, to_document
from edgeworker.products.access.product import AccessProduct
from edgeworker.state import Conflict, State


async def prepare_keys(config: Config, state: State, clock: Clock) -> None:
    """Puts the keys of this process into an edge's state, if Access is configured and there are none."""
    if access_config(config) is None:
        return
    documents = state.documents(AccessProduct.name)
    keys = KeySet(access_key("current"), clock.now(), upcoming=access_key("upcoming"))
    try:
        await documents.put("keys", "current", to_document(keys), if_revision=0)
    except Conflict:
        return  # a second edge on the same state


@cache
def access_key(name: str) -> SigningKey:
    return make_key("edgeworker.test", now=0)
