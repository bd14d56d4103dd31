"""Tells a script's author, with file and line, what works here and fails deployed. Each line is told of once."""

import ast
import linecache
import logging
from collections.abc import Iterator
from itertools import islice
from types import FrameType
from typing import Final

from edgeworker.runtime.contract import script_frames
from edgeworker.runtime.contract.portability import SILENT, Portability

_log = logging.getLogger(__name__)
_told: Final[set[tuple[str, str, int, str]]] = set()
_read: Final[set[tuple[str, str, int]]] = set()  # where a null was read already
_MOST_PLACES: Final = 10_000
_Span = tuple[int | None, int | None, int | None, int | None]  # line, last line, column, last column
_LENIENT: Final = "; it works here, because [python] of edge.toml is lenient"
_NULL: Final = "null of JavaScript is pyodide.ffi.jsnull from compatibility date 2025-09-29 on, and is not None"


def current() -> Portability:
    """That of the script for which the running code was entered."""
    script = script_frames.entered_script()
    return SILENT if script is None else script.portability


def is_refused(what: str, instead: str) -> bool:
    """Tells the script's author what fails on Cloudflare and what to write `instead`; whether it is refused here."""
    portability = current()
    if not portability.is_silent and (found := script_frames.nearest_script_frame()) is not None:
        frame, script = found
        lenient = "" if portability.is_strict else _LENIENT
        _tell_once(script.worker, frame.f_code.co_filename, frame.f_lineno, what + lenient, instead)
    return portability.is_strict


def tell_of_null() -> None:
    """Tells where the null that the calling line reads is compared with None, which it is not."""
    found = script_frames.nearest_script_frame() if current().has_jsnull else None
    if found is None:
        return
    frame, script = found
    if _was_read(frame):
        return
    for line in _comparisons_with_none(frame):
        _tell_once(script.worker, frame.f_code.co_filename, line, _NULL, "ask for its truth, or for jsnull")


def tell_of_names(what: str, instead: str, *, works_leniently: bool = False) -> None:
    """Tells where the calling line takes pairs from what gives names: `for name, value in parameters`.

    `works_leniently`: a lenient edge gives the pairs."""
    if current().is_silent or (found := script_frames.nearest_script_frame()) is None:
        return
    frame, script = found
    if _was_read(frame):
        return
    span: _Span = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), (None, None, None, None))
    try:
        tree = ast.parse("".join(linecache.getlines(frame.f_code.co_filename)))
    except SyntaxError:
        return
    what += _LENIENT if works_leniently and not current().is_strict else ""
    for node in ast.walk(tree):
        match node:
            case ast.For(target=ast.Tuple() | ast.List(), iter=source):
                pass
            case ast.ListComp(generators=[made, *_]) | ast.SetComp(generators=[made, *_]) if _takes_pairs(made):
                source = made.iter
            case ast.DictComp(generators=[made, *_]) | ast.GeneratorExp(generators=[made, *_]) if _takes_pairs(made):
                source = made.iter
            case _:
                continue
        # The iteration begins at the whole loop for Python up to 3.13, at what is iterated for later ones.
        if _is_at(node, span) or _is_at(source, span):
            _tell_once(script.worker, frame.f_code.co_filename, source.lineno, what, instead)


def _tell_once(worker: str, file: str, line: int, what: str, instead: str) -> None:
    place = worker, file, line, what
    if place in _told:
        return
    _told.add(place)
    source = linecache.getline(file, line).strip()
    shown = f": {source}" if source else ""
    _log.warning('worker "%s": %s, line %d%s: %s; %s', worker, file, line, shown, what, instead)


def _was_read(frame: FrameType) -> bool:
    """A source is parsed once for each place, not at each request."""
    place = frame.f_code.co_filename, frame.f_code.co_qualname, frame.f_lasti
    if place in _read:
        return True
    if len(_read) >= _MOST_PLACES:
        _read.clear()
    _read.add(place)
    return False


def _comparisons_with_none(frame: FrameType) -> Iterator[int]:
    """Lines that compare with None what is read at this moment: there, or later in the function by its name."""
    span: _Span = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), (None, None, None, None))
    try:
        tree = ast.parse("".join(linecache.getlines(frame.f_code.co_filename)))
    except SyntaxError:
        return
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Module):
            continue
        names: set[str] = set()
        for node in ast.walk(function):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_at(value, span):
                    names.add(name)
                case ast.NamedExpr(target=ast.Name(id=name), value=value) if _is_at(value, span):
                    names.add(name)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if _is_at(value, span):
                    names.add(name)
                case ast.Compare() if _compares_with_none(node):
                    if any(_is_at(operand, span) for operand in (node.left, *node.comparators)):
                        yield node.lineno
                case _:
                    pass
        for node in ast.walk(function) if names else ():
            match node:
                case ast.Compare(left=ast.Name(id=name) | ast.NamedExpr(target=ast.Name(id=name))):
                    if name in names and _compares_with_none(node) and node.lineno >= frame.f_lineno:
                        yield node.lineno
                case _:
                    pass


def _compares_with_none(node: ast.Compare) -> bool:
    return isinstance(node.ops[0], ast.Is | ast.IsNot | ast.Eq | ast.NotEq) and any(
        isinstance(operand, ast.Constant) and operand.value is None for operand in (node.left, *node.comparators)
    )


def _takes_pairs(made: ast.comprehension) -> bool:
    return isinstance(made.target, ast.Tuple | ast.List)


def _is_at(node: ast.expr | ast.stmt, span: _Span) -> bool:
    if isinstance(node, ast.Await) and _is_at(node.value, span):
        return True
    return (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset) == span
