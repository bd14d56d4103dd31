"""What the releases of Python have that others do not. Pure.

Source: https://docs.python.org/3/whatsnew/ of 3.12, 3.13 and 3.14, and the interpreters themselves.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from edgeworker.runtime.contract.portability import Release

# What an older Python calls a SyntaxError, by the line or by its message. The newest first. A string is told by its
# prefix right before the place where Python stopped (`\0`).
_SYNTAX: Final = (
    (
        (3, 14),
        re.compile(
            r"""(?<![\w'"])(?:[tT][rR]?|[rR][tT])\0['"]"""
            r"|^\s*except\b\*?\s*[\w.()\[\]]+(?:\s*,\s*[\w.()\[\]]+)+\s*:"
            r"|multiple exception types(?!.*using 'as')"
        ),
    ),
    ((3, 13), re.compile(r"^\s*(?:class|def|async\s+def|type)\s+\w+\s*\[[^\]=]*=[^\]]*\]")),
    (
        (3, 12),
        re.compile(
            r"^\s*type\s+\w+\s*(?:\[.*\])?\s*=|^\s*(?:class|def|async\s+def)\s+\w+\s*\["
            r"|f-string expression part cannot include"
            r"""|[fF][rR]?"[^"{]*\{[^}"]*(?:"[^"]*"[^}"]*)+\}|[fF][rR]?'[^'{]*\{[^}']*(?:'[^']*'[^}']*)+\}"""
            # A replacement field that goes on in the next line.
            r"""|[fF][rR]?(?P<quote>["'])(?!(?P=quote)).*\{(?:(?:[^}"']*[([{,])?\s*|[^}"'#]*#.*)$"""
        ),
    ),
)
_AS_IN_EXCEPT: Final = re.compile(r"^\s*except\b.*\bas\b")

# Modules of the standard library, and names in them, that came with a release.
NEW_MODULES: Final[Mapping[str, Release]] = {
    "dbm.sqlite3": (3, 13),
    "annotationlib": (3, 14),
    "compression": (3, 14),
    "concurrent.interpreters": (3, 14),
    "pathlib.types": (3, 14),
    "string.templatelib": (3, 14),
}
NEW_NAMES: Final[Mapping[tuple[str, str], Release]] = {
    (module, name): release
    for release, modules in {
        (3, 12): {
            "asyncio": "create_eager_task_factory eager_task_factory",
            "calendar": "Day Month",
            "collections.abc": "Buffer",
            "csv": "QUOTE_NOTNULL QUOTE_STRINGS",
            "inspect": "BufferFlags getasyncgenlocals getasyncgenstate markcoroutinefunction",
            "itertools": "batched",
            "logging": "getHandlerByName getHandlerNames",
            "math": "sumprod",
            "random": "binomialvariate",
            "sys": "monitoring",
            "types": "get_original_bases",
            "typing": "TypeAliasType override",
        },
        (3, 13): {
            "asyncio": "EventLoop QueueShutDown",
            "base64": "z85decode z85encode",
            "copy": "replace",
            "enum": "EnumDict",
            "glob": "translate",
            "math": "fma",
            "mimetypes": "guess_file_type",
            "os": "process_cpu_count",
            "pathlib": "UnsupportedOperation",
            "queue": "ShutDown",
            "re": "PatternError",
            "statistics": "kde kde_random",
            "types": "CapsuleType",
            "typing": "NoDefault ReadOnly TypeIs get_protocol_members is_protocol",
            "warnings": "deprecated",
        },
        (3, 14): {
            "ast": "Interpolation TemplateStr compare",
            "asyncio": "capture_call_graph format_call_graph print_call_graph",
            "concurrent.futures": "InterpreterPoolExecutor",
            "decimal": "IEEEContext",
            "functools": "Placeholder",
            "heapq": "heapify_max heappop_max heappush_max heappushpop_max heapreplace_max",
            "io": "Reader Writer",
            "operator": "is_none is_not_none",
            "typing": "evaluate_forward_ref",
            "uuid": "uuid6 uuid7 uuid8",
        },
    }.items()
    for module, names in modules.items()
    for name in names.split()
}
# Modules that went with a release. Those of 3.13: https://peps.python.org/pep-0594/
REMOVED_MODULES: Final[Mapping[str, Release]] = {
    name: release
    for release, names in {
        (3, 12): "asynchat asyncore distutils imp smtpd",
        (
            3,
            13,
        ): "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev pipes sndhdr "
        "spwd sunau telnetlib uu xdrlib",
    }.items()
    for name in names.split()
}
_IMPORTED: Final = re.compile(rb"^[ \t]*(?:import|from)[ \t]+([\w., \t]+)", re.MULTILINE)
_REMOVED: Final = frozenset(name.encode() for name in REMOVED_MODULES)


def name_release(release: Release) -> str:
    return f"Python {release[0]}.{release[1]}"


def find_syntax_release(line: str, message: str, column: int = 0) -> Release | None:
    """The release of Python whose syntax a line has that could not be parsed. `column` is where Python stopped, from 1
    on."""
    if _AS_IN_EXCEPT.search(line):
        return None  # of several types it needs brackets in each release
    is_whole = column and not message.startswith("unterminated")
    marked = f"{line[: column - 1]}\0{line[column - 1 :]}" if is_whole else line
    for release, pattern in _SYNTAX:
        if pattern.search(marked if release >= (3, 14) else line) or pattern.search(message):
            return release
    return None


@dataclass(frozen=True, slots=True)
class Unportable:
    """`what` is a sentence without its end. `needed`: the release that has it; None if newer ones have it no more."""

    line: int
    what: str
    needed: Release | None


def find_unportable(
    source: bytes, running: Release, deployed: Release, brings: Callable[[str], bool]
) -> Iterator[Unportable]:
    """What the `running` Python has, and the one that a script is deployed to has not.

    `brings` says which modules come with the script. An import that may fail, in a `try`, is left out.
    """
    if running <= deployed and _REMOVED.isdisjoint(re.split(rb"\W+", b" ".join(_IMPORTED.findall(source)))):
        return
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # it was changed after it was loaded
        return
    if running > deployed and (newer := _find_newer_syntax(source, running, deployed)) is not None:
        yield newer
    for line, module, name in _find_imports(tree):
        if brings(module):
            continue
        needed = find_release_of_module(module) or (None if name is None else find_release_of_name(module, name))
        if needed is not None and running >= needed > deployed:
            what = module if name is None else f"{module}.{name}"
            yield Unportable(line, f"{what} came with {name_release(needed)}", needed)
        gone = find_removal(module)
        if gone is not None and running < gone <= deployed:
            yield Unportable(line, f"{module} went from the standard library with {name_release(gone)}", None)


def _find_newer_syntax(source: bytes, running: Release, deployed: Release) -> Unportable | None:
    """What Python's parser knows of: the tokens within an f-string are not among it."""
    line = None
    for minor in range(deployed[1], running[1]):
        try:
            ast.parse(source, feature_version=(3, minor))
        except SyntaxError as error:
            line, needed = line or error.lineno or 1, (3, minor + 1)
        else:
            break
    return None if line is None else Unportable(line, f"this is syntax of {name_release(needed)}", needed)


def _find_imports(node: ast.AST) -> Iterator[tuple[int, str, str | None]]:
    """(line, module, name or None)"""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Try() | ast.TryStar():
                continue
            case ast.Import(names=names):
                yield from ((child.lineno, each.name, None) for each in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for each in names:
                    whole = f"{module}.{each.name}"
                    yield (child.lineno, whole, None) if whole in NEW_MODULES else (child.lineno, module, each.name)
            case _:
                yield from _find_imports(child)


def find_release_of_module(name: str) -> Release | None:
    """The release with which a module of the standard library came, if later than 3.11."""
    return next((release for each, release in NEW_MODULES.items() if f"{name}.".startswith(f"{each}.")), None)


def find_release_of_name(module: str, name: str) -> Release | None:
    return NEW_NAMES.get((module, name)) or NEW_MODULES.get(f"{module}.{name}")


def find_removal(module: str) -> Release | None:
    """The release with which a module went from the standard library."""
    return REMOVED_MODULES.get(module.partition(".")[0])
