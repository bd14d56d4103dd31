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
# Of the root logger, by worker: a script that is loaded again configures them anew.
_handlers_of: Final[dict[str, list[logging.Handler]]] = {}
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
    for handlers in _handlers_of.values():
        for handler in handlers:
            logging.getLogger().removeHandler(handler)
    _handlers_of.clear()
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


def _disable(level: int | str = logging.CRITICAL) -> None:
    if calling_script() is None:
        _usual_disable(level)
        return
    number = logging.getLevelNamesMapping().get(level) if isinstance(level, str) else level
    if number is None:
        raise ValueError(f"Unknown level: {level!r}")
    _set_root_level(number + 1 if number else logging.WARNING)


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
        script = calling_script()
        if script is None:
            return usual(*arguments, **options)
        root = logging.getLogger()
        replaced = _handlers_of.get(script.worker, [])
        handlers = [each for each in root.handlers if each not in replaced]
        loggers = [
            (logger, logger.level, logger.propagate, logger.handlers[:])
            for name, logger in logging.Logger.manager.loggerDict.items()
            if isinstance(logger, logging.Logger) and not logger.disabled and name.partition(".")[0] in _OPERATORS
        ]
        root_level = root.level
        closed_at_end: list[object] = vars(logging)["_handlerList"]  # dictConfig() closes them all and forgets them
        before = closed_at_end[:]
        try:
            return usual(*arguments, **options)
        finally:
            closed_at_end[:0] = [each for each in before if each not in closed_at_end]
            for logger, level, propagate, own in loggers:
                logger.disabled, logger.propagate, logger.handlers[:] = False, propagate, own
                logger.setLevel(level)
            # The script's own handlers come beside the edge's, which its records reach too.
            own = [each for each in root.handlers if each not in handlers]
            root.handlers[:] = [*handlers, *own]
            _handlers_of[script.worker] = own
            if root.level != root_level:
                script_level = root.level
                root.setLevel(root_level)
                _set_root_level(script_level)

    return configure
