"""Randomness while a script is loaded, which production refuses: all isolates would start with the same values.

What a library draws while it is imported is let through, as production does for the libraries that need it. What an
extension module draws by itself (a key of cryptography, numpy) is not seen.
Source: src/pyodide/internal/topLevelEntropy of workerd.
"""

import os
import random  # noqa: TID251  # to guard it
import ssl
import sys
import threading
from collections.abc import Callable, Mapping
from functools import wraps
from types import FrameType
from typing import Final

from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.contract.script_frames import Script, script_of_frame

_EIO: Final = 29  # as Emscripten numbers it
_NOT_AT_STARTUP: Final = (
    "Randomness is not allowed while a Worker is starting because startup values will be repeated across Worker "
    "instances, making them predictable. If this error occurs from importing a package, import the package from a "
    "function to load it after the Worker starts."
)
_lock: Final = threading.Lock()
_usual_urandom: Final = os.urandom
_usual: Final[dict[str, Callable[..., object]]] = {
    name: getattr(random, name) for name in random.__all__ if name not in ("Random", "SystemRandom")
}
# What draws in C.
_IN_C: Final[Mapping[str, Callable[..., object]]] = {
    "ssl.RAND_bytes": ssl.RAND_bytes,
    **({"os.getrandom": os.getrandom} if sys.platform == "linux" else {}),
}
_usual_seed: Final[Callable[..., None]] = random.Random.seed
_loading: Final[list[Script]] = []


class forbid_entropy:  # read as a statement: `with forbid_entropy(script):`
    """While the top level of the script runs. What it took from `random` meanwhile works as usual afterwards."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def __enter__(self) -> None:
        self._script.is_loading = True
        with _lock:
            _loading.append(self._script)
            if len(_loading) == 1:
                _replace(_guarded_urandom, _GUARDED)
                _replace_in_c(_GUARDED_IN_C, _guarded_seed)

    def __exit__(self, *_error: object) -> None:
        self._script.is_loading = False
        with _lock:
            _loading.remove(self._script)
            if not _loading:
                _replace(_usual_urandom, _usual)
                _replace_in_c(_IN_C, _usual_seed)


def _replace(urandom: Callable[[int], bytes], functions: dict[str, Callable[..., object]]) -> None:
    os.urandom = urandom
    setattr(random, "_urandom", urandom)  # noqa: B010  # a name of the module's own, for secrets and SystemRandom
    for name, function in functions.items():
        setattr(random, name, function)


def _replace_in_c(functions: Mapping[str, Callable[..., object]], seed: Callable[..., None]) -> None:
    for name, function in functions.items():
        module, _, attribute = name.partition(".")
        setattr(sys.modules[module], attribute, function)
    setattr(random.Random, "seed", seed)  # noqa: B010  # mypy takes no assignment to a method


@wraps(_usual_seed)
def _guarded_seed(self: random.Random, a: object = None, version: int = 2) -> None:
    if a is None and _is_refused("random.Random() without a seed"):
        raise OSError(_EIO, _NOT_AT_STARTUP)
    _usual_seed(self, a, version)


@wraps(_usual_urandom)
def _guarded_urandom(size: int, /) -> bytes:
    if _is_refused("randomness"):
        raise OSError(_EIO, _NOT_AT_STARTUP)
    return _usual_urandom(size)


def _guard(name: str, usual: Callable[..., object]) -> Callable[..., object]:
    @wraps(usual)
    def guarded(*args: object, **options: object) -> object:
        if _is_refused(f"random.{name}()"):
            raise RuntimeError(f"Cannot use random.{name}() outside of request context")
        return usual(*args, **options)

    return guarded


def _is_refused(what: str) -> bool:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if (script := script_of_frame(frame)) is not None:
            return script.is_loading and portability_warnings.is_refused(
                f"{what} is refused on Cloudflare while a script is loaded", "draw it within a handler"
            )
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("edgeworker.") or frame.f_code.co_filename.startswith("<frozen importlib"):
            return False  # the edge itself, or a library that is imported
        frame = frame.f_back
    return False


def _guard_in_c(name: str, usual: Callable[..., object]) -> Callable[..., object]:
    @wraps(usual)
    def guarded(*args: object, **options: object) -> object:
        if _is_refused(f"{name}()"):
            raise OSError(_EIO, _NOT_AT_STARTUP)
        return usual(*args, **options)

    return guarded


_GUARDED_IN_C: Final = {name: _guard_in_c(name, usual) for name, usual in _IN_C.items()}
_GUARDED: Final = {name: _guard(name, usual) for name, usual in _usual.items()}
