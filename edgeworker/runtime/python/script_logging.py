"""What a script does to `logging`: its levels and handlers count for it, and the edge's own lines stay as they are.

The root logger has the edge's handlers, for which Python's basicConfig would do nothing. `dictConfig()` disables
loggers that it does not name, `disable()` silences all.
"""

import logging
import sys
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Final

from edgeworker.runtime.contract.script_frames import calling_script

_EDGE: Final = logging.getLogger("edgeworker")
_usual_basic_config: Final[Callable[..., None]] = logging.basicConfig
_usual_disable: Final[Callable[..., None]] = logging.disable
# What the edge and the libraries that it works with tell an operator.
_OPERATORS: Final = frozenset({"edgeworker", "wrangler_compat", "asyncio", "aiohttp"})
_before: Final[list[tuple[int, int]]] = []  # the levels of the root logger and of the edge's, if a script changed them


def install() -> None:
    """While scripts are loaded; may be called again."""
    setattr(logging, "basicConfig", _basic_config)  # noqa: B010  # mypy takes no assignment to a function
    setattr(logging, "disable", _disable)  # noqa: B010
    if (loaded := sys.modules.get("logging.config")) is not None:
        guard_config(loaded)


def uninstall() -> None:
    setattr(logging, "basicConfig", _usual_basic_config)  # noqa: B010
    setattr(logging, "disable", _usual_disable)  # noqa: B010
    if _before:
        root_level, edge_level = _before.pop()
        logging.getLogger().setLevel(root_level)
        _EDGE.setLevel(edge_level)


def _basic_config(**options: object) -> None:
    root = logging.getLogger()
    if calling_script() is None or not root.handlers:
        _usual_basic_config(**options)
        return
    level = options.get("level")
    if isinstance(level, int | str):
        _set_root_level(level)


def _disable(level: int = logging.CRITICAL) -> None:
    if calling_script() is None:
        _usual_disable(level)
    else:
        _set_root_level(level + 1 if level else logging.WARNING)


def _set_root_level(level: int | str) -> None:
    root = logging.getLogger()
    if not _before:
        _before.append((root.level, _EDGE.level))
    # What the edge says is not the script's to change.
    _EDGE.setLevel(_EDGE.getEffectiveLevel())
    root.setLevel(level)


def guard_config(module: ModuleType) -> None:
    """`module` is logging.config, once it is loaded. Its functions stay so, as usual where no script calls them."""
    for name in ("dictConfig", "fileConfig"):
        usual = getattr(module, name)
        if not hasattr(usual, "__wrapped__"):
            setattr(module, name, _keep_edge(usual))


def _keep_edge(usual: Callable[..., object]) -> Callable[..., object]:
    """A function that configures loggers, without effect on those of the edge where a script calls it."""

    @wraps(usual)
    def configure(*arguments: object, **options: object) -> object:
        if calling_script() is None:
            return usual(*arguments, **options)
        root = logging.getLogger()
        handlers = root.handlers[:]
        loggers = [
            (logger, logger.level, logger.propagate, logger.handlers[:])
            for name, logger in logging.Logger.manager.loggerDict.items()
            if isinstance(logger, logging.Logger) and not logger.disabled and name.partition(".")[0] in _OPERATORS
        ]
        root_level = root.level
        try:
            return usual(*arguments, **options)
        finally:
            for logger, level, propagate, own in loggers:
                logger.disabled, logger.propagate, logger.handlers[:] = False, propagate, own
                logger.setLevel(level)
            # The script's own handlers come beside the edge's, which its records reach too.
            root.handlers[:] = [*handlers, *(each for each in root.handlers if each not in handlers)]
            if root.level != root_level:
                script_level = root.level
                root.setLevel(root_level)
                _set_root_level(script_level)

    return configure
