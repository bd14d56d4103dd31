"""Gives back the room of what has expired, in small steps, for as long as an edge runs."""

import logging
from typing import Final

from edgeworker.clock import Clock
from edgeworker.errors import StoreError
from edgeworker.kv.store import KVStore

_log = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 30.0

# Other writers come between two steps.
_PAUSE_SECONDS: Final = 0.05


async def sweep_for_ever(store: KVStore, clock: Clock, *, interval_seconds: float = INTERVAL_SECONDS) -> None:
    """Ends by being cancelled. Storage that fails is logged and tried again at the next interval."""
    while True:
        try:
            removed = await store.sweep(now=clock.now())
        except StoreError as error:
            _log.warning("What has expired is not removed now: %s", error)
            removed = 0
        await clock.sleep(_PAUSE_SECONDS if removed else interval_seconds)
