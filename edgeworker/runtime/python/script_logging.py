"""`logging.basicConfig()` of a script: its level counts, and the edge's own lines stay as they are.

The root logger has the edge's handlers already, for which Python's basicConfig would do nothing.
"""

import logging
from collections.abc import Callable
from typing import Final

from edgeworker.runtime.contract.script_frames import calling_script

_usual: Final[Callable[..., None]] = logging.basicConfig
_EDGE: Final = logging.getLogger("edgeworker")
_before: Final[list[tuple[int, int]]] = []  # the levels of the root logger and of the edge's, if a script changed them


def install() -> None:
    """While scripts are loaded; may be called again."""
    setattr(logging, "basicConfig", _basic_config)  # noqa: B010  # mypy takes no assignment to a function


def uninstall() -> None:
    setattr(logging, "basicConfig", _usual)  # noqa: B010
    if _before:
        root_level, edge_level = _before.pop()
        logging.getLogger().setLevel(root_level)
        _EDGE.setLevel(edge_level)


def _basic_config(**options: object) -> None:
    root = logging.getLogger()
    if calling_script() is None or not root.handlers:
        _usual(**options)
        return
    level = options.get("level")
    if not isinstance(level, int | str):
        return
    if not _before:
        _before.append((root.level, _EDGE.level))
    # What the edge says is not the script's to change.
    _EDGE.setLevel(_EDGE.getEffectiveLevel())
    root.setLevel(level)
