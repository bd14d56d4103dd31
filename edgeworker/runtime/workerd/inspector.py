"""Which child DevTools are led to. A child's own inspector listens on a free port of 127.0.0.1."""

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from edgeworker.javascript.project import Module, Project


class InspectedChildren:
    """The inspector ports of the children that run now.

    While a reload is under way there are two children: DevTools see the newest, and go back to the one before if the
    new version cannot be loaded.
    """

    def __init__(self) -> None:
        self._running: list[tuple[int, tuple[str, ...]]] = []
        self._sessions: set[asyncio.Event] = set()

    @property
    def port(self) -> int | None:
        """None while no child runs."""
        return self._running[-1][0] if self._running else None

    @property
    def workers(self) -> tuple[str, ...]:
        """The names of those that can be debugged now."""
        return self._running[-1][1] if self._running else ()

    @property
    def is_debugging(self) -> bool:
        """Whether DevTools are connected: a script that stands at a breakpoint must not be ended for its CPU time."""
        return bool(self._sessions)

    def add(self, port: int, workers: tuple[str, ...]) -> None:
        self._running.append((port, workers))
        for replaced in self._sessions:
            replaced.set()

    def remove(self, port: int) -> None:
        self._running = [one for one in self._running if one[0] != port]

    @contextmanager
    def session(self) -> Iterator[asyncio.Event]:
        """DevTools are connected during the block. The event is set when there is a newer child to connect to."""
        replaced = asyncio.Event()
        self._sessions.add(replaced)
        try:
            yield replaced
        finally:
            self._sessions.discard(replaced)


def modules_for_devtools(project: Project) -> tuple[Module, ...]:
    """The project's modules with their source maps and sources in them, so that DevTools show what was written."""
    root = project.root.resolve()

    def read(source: str) -> str | None:
        try:
            return (root / source).read_text("utf-8")
        except (OSError, ValueError):
            return None

    modules = []
    for module in project.modules:
        source_map = project.source_maps.get(module.name)
        if source_map is not None:
            encoded = base64.b64encode(source_map.to_json(f"{root.as_uri()}/", read).encode("utf-8", "replace"))
            link = b"\n//# sourceMappingURL=data:application/json;base64," + encoded + b"\n"
            module = replace(module, content=module.content + link)
        modules.append(module)
    return tuple(modules)
