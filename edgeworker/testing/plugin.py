"""The pytest plugin: fixtures `edge`, `clock`, `origin` and `kv`, and a report of each request when a test fails.

While it is active, test files can import scripts, and `workers`, `js`, `pyodide` and `asgi` themselves.

Installed with the package. Of edgeworker, next to nothing is imported before a fixture is used.
"""

import functools
import inspect
import secrets
import sys
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import pytest

from edgeworker.testing.lending import LentOnDemand

if TYPE_CHECKING:
    from edgeworker.config import JSON
    from edgeworker.testing.clock import MovableClock
    from edgeworker.testing.edge import Edge, Source
    from edgeworker.testing.faults import FaultInjection
    from edgeworker.testing.local import LocalEdge
    from edgeworker.testing.origin import Origin
    from edgeworker.testing.single import KVByName

MARKER: Final = "edgeworker"
_MARKER_HELP: Final = (
    "edgeworker(config=..., env=..., variables={...}, faults=FaultInjection(...), start=EPOCH_SECONDS): "
    "what the fixtures edge, clock, origin and kv of this test are made of"
)
_ARGUMENTS: Final = frozenset({"config", "env", "variables", "faults", "start"})
# Some faults are drawn from the time as well; with a start that never changes the seed alone decides.
_START_WITH_FAULTS: Final = 1_800_000_000
# Of the pytest runs of this process, which may be within each other; see edgeworker.testing.folder.
project_folders: Final[list[Path]] = []
_edge: Final = pytest.StashKey["Edge"]()
_seed: Final = pytest.StashKey[int]()
_lent: Final = pytest.StashKey[LentOnDemand]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("edgeworker")
    group.addoption(
        "--edgeworker-config",
        metavar="FILE",
        help="edge.toml or wrangler.toml for the fixture edge (default: the nearest one to the test's file)",
    )
    group.addoption("--edgeworker-env", metavar="NAME", help="environment of the wrangler files")
    group.addoption("--edgeworker-seed", metavar="N", type=int, help="seed of faults, as a failing test prints it")
    parser.addini("edgeworker_config", "edge.toml or wrangler.toml for the fixture edge", default="")
    parser.addini("edgeworker_env", "environment of the wrangler files", default="")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER_HELP)
    seed = config.getoption("--edgeworker-seed")
    config.stash[_seed] = seed if isinstance(seed, int) else secrets.randbits(32)
    config.stash[_lent] = LentOnDemand()
    config.stash[_lent].open()
    # pytest's own root may be the folder of the tests where there is no configuration file.
    project_folders.append(config.rootpath if config.inipath is not None else config.invocation_params.dir)


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_lent].close()
    project_folders.pop()


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> "MovableClock":
    """The edge's clock: `clock.advance(61)`."""
    from edgeworker.testing.clock import MovableClock

    start = _argument(request.node, "start")
    if start is None and _faults(request.node) is not None:
        start = _START_WITH_FAULTS
    return MovableClock(float(start) if isinstance(start, int | float) else None)


@pytest.fixture
def origin(clock: "MovableClock") -> "Origin":
    """Every server outside the edge: `origin.on("/orders", json=[])`, `origin.requests`."""
    from edgeworker.testing.origin import Origin

    return Origin(clock)


@pytest.fixture
def edge(request: pytest.FixtureRequest, clock: "MovableClock", origin: "Origin") -> Iterator["Edge"]:
    """A fresh edge of the project's configuration: `await edge.fetch(url)`, or `edge.get(url)` without async."""
    from edgeworker.errors import ConfigError
    from edgeworker.testing.edge import Edge

    node = request.node
    env = _argument(node, "env") or _setting(request.config, "env")
    try:
        made = Edge(
            _source(node),
            env=env if isinstance(env, str) else None,
            variables=_variables(node),
            clock=clock,
            origin=origin,
            faults=_faults(node),
        )
    except ConfigError as error:
        _mistake(str(error))
    node.stash[_edge] = made
    yield made
    made.close()


@pytest.fixture
def kv(edge: "Edge") -> "KVByName":
    """A KV namespace of the edge by its binding: `kv("TOKENS").put("key", "value")`."""
    return edge.kv


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """An async test closes its edge itself, on its own loop, which has ended when fixtures are torn down."""
    edge = item.stash.get(_edge, None)
    if edge is not None and isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
        item.obj = _closing(item.obj, edge)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    edges = _edges(item)
    if report.failed and edges:
        lines = [line for edge in edges for line in edge.report()]
        if lines:
            report.sections.append(("edgeworker: the way of each request", "\n".join(lines)))
        unused = list(dict.fromkeys(line for edge in edges for line in edge.origin.report()))
        if unused:
            report.sections.append(("edgeworker: origin rules that no request matched", "\n".join(unused)))
        seeds = {edge.faults.seed or 0 for edge in edges if edge.faults.any}
        if seeds:
            seed = ", ".join(map(str, sorted(seeds)))
            replay = f"pytest {_quoted(item.nodeid)} --edgeworker-seed={seed}"
            report.sections.append(("edgeworker: faults", f"seed {seed}; to have them again:\n{replay}"))
    if call.when == "teardown":
        _forget(item)
    return report


def _closing(test: Callable[..., Awaitable[object]], edge: "Edge") -> Callable[..., Awaitable[object]]:
    @functools.wraps(test)
    async def closing(*arguments: object, **named: object) -> object:
        try:
            return await test(*arguments, **named)
        finally:
            await edge.aclose()

    return closing


def _edges(item: pytest.Item) -> "Sequence[LocalEdge]":
    """The test's edges, also those that it made without a fixture."""
    module = sys.modules.get("edgeworker.testing.edge")
    if module is None:
        return ()
    from edgeworker.testing.edge import made

    return sorted(made, key=lambda edge: edge.number)


def _forget(item: pytest.Item) -> None:
    if "edgeworker.testing.edge" in sys.modules:
        from edgeworker.testing.edge import made

        made.clear()
    if _edge in item.stash:
        del item.stash[_edge]


def _argument(node: pytest.Item, name: str) -> object:
    """Of the nearest marker that has it: the test's, its class's, its module's."""
    for mark in node.iter_markers(MARKER):
        unknown = set(mark.kwargs) - _ARGUMENTS
        if mark.args or unknown:
            given = ", ".join(sorted(unknown)) or "positional arguments"
            _mistake(f"@pytest.mark.edgeworker: unknown {given}; it is {_MARKER_HELP}")
        if name in mark.kwargs:
            found: object = mark.kwargs[name]
            return found
    return None


def _setting(config: pytest.Config, name: str) -> str | None:
    """A command-line option, else the ini option of that name."""
    given = config.getoption(f"--edgeworker-{name}") or config.getini(f"edgeworker_{name}")
    return str(given) if given else None


def _source(node: pytest.Item) -> "Source":
    """The marker's configuration; else the option's; else what is found from the test's file upward."""
    from edgeworker.config import Config

    given = _argument(node, "config")
    match given:
        case Config() | str() | Path():
            return given
        case list() | tuple():
            return [file if isinstance(file, Path) else str(file) for file in given]
        case None:
            pass
        case _:
            _mistake(f"@pytest.mark.edgeworker(config={given!r}): give a file, files, or a Config")
    setting = _setting(node.config, "config")
    return _nearest(node.path.parent, node.config.rootpath) if setting is None else setting


def _nearest(folder: Path, root: Path) -> Path:
    """The edge.toml or wrangler file that is next to the tests, or above them within the project."""
    names = ("edge.toml", "wrangler.json", "wrangler.jsonc", "wrangler.toml")
    within = [place for place in (folder, *folder.parents) if place == root or place.is_relative_to(root)]
    for place in within:
        for name in names:
            if (place / name).is_file():
                return place / name
    _mistake(
        f"the fixture edge found none of {', '.join(names)} from {folder} up to {root}; name one with "
        "@pytest.mark.edgeworker(config=...), --edgeworker-config or edgeworker_config in the ini file"
    )


def _variables(node: pytest.Item) -> "Mapping[str, JSON]":
    given = _argument(node, "variables")
    if given is not None and not isinstance(given, Mapping):
        _mistake(f"@pytest.mark.edgeworker(variables={given!r}): give a dict")
    return given or {}


def _faults(node: pytest.Item) -> "FaultInjection | None":
    from edgeworker.testing.faults import FaultInjection

    given = _argument(node, "faults")
    if given is None:
        return None
    if not isinstance(given, FaultInjection):
        _mistake(f"@pytest.mark.edgeworker(faults={given!r}): give FaultInjection(...)")
    chosen = node.config.getoption("--edgeworker-seed")
    return given.seeded(node.config.stash[_seed], always=chosen is not None)


def _mistake(text: str) -> NoReturn:
    """Fails the test with one sentence instead of a traceback through this file."""
    pytest.fail(text, pytrace=False)


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)
