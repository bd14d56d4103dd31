"""Errors that only Python's search for cycles would free: an edge looks seldom, and requests wait meanwhile."""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_error_keeps_itself() -> Iterator[None]:
    """An error that a frame of its own traceback has in a variable is freed by no reference count."""
    logging.disable()  # a record that pytest keeps would keep its error
    gc.collect()
    gc.disable()
    try:
        yield
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [repr(one) for one in gc.garbage if isinstance(one, Exception)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
        logging.disable(logging.NOTSET)
    assert not left, f"these hold themselves by their tracebacks: {left}"
