"""JavaScript workers in tests that move the clock."""

from dataclasses import replace
from typing import Final

from edgeworker.config import Config
from edgeworker.testing.clock import MovableClock

_FIXED: Final = (
    "the clock cannot be moved: {why}, whose time is the machine's; use the embedded engine for such tests "
    '(pip install edgeworker[javascript], and engine = "auto" or "embedded" under [javascript] of edge.toml)'
)


def with_movable_time(config: Config, clock: MovableClock) -> Config:
    """`engine = "auto"` is the embedded engine in tests, because its time is the edge's. Where workerd is asked for, or
    is all there is, moving the clock raises an error that says so."""
    from edgeworker.runtime.engines.javascript import has_embedded

    settings = config.javascript
    if settings.engine == "workerd" or settings.workerd is not None:
        clock.fixed_because = _FIXED.format(why="[javascript] of edge.toml asks for workerd")
    elif not has_embedded():
        clock.fixed_because = _FIXED.format(why="JavaScript workers run in workerd here")
    elif settings.engine == "auto":
        return replace(config, javascript=replace(settings, engine="embedded"))
    return config
