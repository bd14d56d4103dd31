"""Lines that each request can bring about, bounded: a disk that is full must not fill the log of a busy edge as well.

Such a line has `repeats` in its record: what it tells of, for all requests. So has each traceback: where it was raised.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

INTERVAL_SECONDS: Final = 10.0
_MOST_KEYS: Final = 50
_OTHERS: Final = ("", "")

_Key = tuple[str, str]  # name of the logger, what is told


@dataclass(slots=True)
class _Repeats:
    record: logging.LogRecord
    left_out: int = 0


class RepeatedLines(logging.Filter):
    """Lets the first line through; of those that tell of the same in the next 10 seconds it tells how many there were,
    and so on until there are none.
    """

    def __init__(self) -> None:
        super().__init__()
        self._repeats: dict[_Key, _Repeats] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        key = _key_of(record)
        if key is None:
            return True
        if key not in self._repeats and len(self._repeats) >= _MOST_KEYS:
            key = _OTHERS
        known = self._repeats.get(key)
        if known is not None:
            known.left_out += 1
            return False
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a thread, or before the start: nothing that each request does
            return True
        self._repeats[key] = _Repeats(record)
        loop.call_later(INTERVAL_SECONDS, self._end_interval, key)
        return True

    def _end_interval(self, key: _Key) -> None:
        repeats = self._repeats[key]
        if not repeats.left_out:
            del self._repeats[key]
            return
        text = repeats.record.getMessage().partition("\n")[0]
        told = logging.makeLogRecord({"name": repeats.record.name, "levelno": repeats.record.levelno})
        told.levelname = repeats.record.levelname
        told.msg = f"{text}: {repeats.left_out} more of these in the last {INTERVAL_SECONDS:g} s"
        repeats.left_out = 0
        asyncio.get_running_loop().call_later(INTERVAL_SECONDS, self._end_interval, key)
        logging.getLogger(told.name).handle(told)


def _key_of(record: logging.LogRecord) -> _Key | None:
    told = getattr(record, "repeats", None)
    if isinstance(told, str):
        return record.name, told
    if not record.exc_info or record.exc_info[1] is None:
        return None
    step = record.exc_info[2]
    if step is None:
        return record.name, record.exc_info[1].__class__.__name__
    while step.tb_next is not None:
        step = step.tb_next
    place = f"{step.tb_frame.f_code.co_filename}:{step.tb_lineno}"
    return record.name, f"{record.exc_info[1].__class__.__name__} {place}"
