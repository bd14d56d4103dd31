"""Loads each worker of a configuration as `edgeworker dev` does, serves nothing, and says what did not work."""

import ast
import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from edgeworker.clock import Clock
from edgeworker.config import Config, Outbound, Worker
from edgeworker.edge import build
from edgeworker.errors import EdgeworkerError, ScriptError
from edgeworker.handler import Background, Services
from edgeworker.kv.memory import MemoryStore
from edgeworker.server.origin import OriginClient

_EVENTS = ("fetch", "scheduled")
_MOST_ARGUMENTS = 3  # the request, env, ctx


@dataclass(frozen=True, slots=True)
class DryRun:
    """`error` says why the script cannot be loaded, and `place` in which file and line, if that is known.

    Without an error, `handles` are the events that it handles, and `entrypoints` the names that a service binding can
    lead to.
    """

    worker: Worker
    error: str | None = None
    place: tuple[str, int] | None = None
    handles: frozenset[str] = frozenset()
    entrypoints: frozenset[str] = frozenset()


def explain_missing_fetch(main: Path | None) -> str:
    """What a script that answers no request probably meant: a misspelt handler, or a class that is not `Default`."""
    if main is None or main.suffix != ".py":
        slip = None if main is None else find_misspelt_in_javascript(main)
        return f'Is "{slip}" meant to be "fetch"?' if slip else "Export a default object with a method `fetch`."
    tree = ast.parse(main.read_bytes())
    methods = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    close = get_close_matches("fetch", methods - {"fetch"}, n=1, cutoff=0.6)
    if close:
        return f'Is "{close[0]}" meant to be "fetch"?'
    if "fetch" in methods and classes and "Default" not in classes:
        return f'Requests are answered by the class with the name "Default", not by "{classes[0]}".'
    return "Write class Default(WorkerEntrypoint) with a method `async def fetch(self, request)`."


@dataclass(frozen=True, slots=True)
class MisspeltFetch:
    """A method that is one slip away from "fetch", in a class that has no "fetch"."""

    class_name: str
    method: str
    line: int


def find_misspelt_fetch(main: Path) -> list[MisspeltFetch]:
    """In the named entrypoints of a Python script, which load with it: only a call would tell."""
    found = []
    for node in ast.parse(main.read_bytes()).body:
        if not isinstance(node, ast.ClassDef) or node.name == "Default" or not _is_entrypoint(node):
            continue
        methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
        if "fetch" not in methods:
            slips = (each for name, each in methods.items() if _is_one_slip_from(name, "fetch"))
            found += [MisspeltFetch(node.name, each.name, each.lineno) for each in slips]
    return found


@dataclass(frozen=True, slots=True)
class WrongParameters:
    """A `fetch` of a class whose parameters are not `self` and the request. `effect` continues a sentence."""

    class_name: str
    written: str
    line: int
    effect: str
    fails: bool  # each call


def find_wrong_parameters(main: Path) -> list[WrongParameters]:
    """In the classes of a Python script: only a call would tell. A method with a decorator or `*` may be right."""
    found = []
    for node in ast.parse(main.read_bytes()).body:
        if not isinstance(node, ast.ClassDef) or not _is_entrypoint(node):
            continue
        for method in node.body:
            if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) or method.name != "fetch":
                continue
            names = [each.arg for each in (*method.args.posonlyargs, *method.args.args)]
            # A handler gets no more than it takes: one that needs no request is fetch(self).
            if method.decorator_list or method.args.vararg is not None or names == ["self"] or len(names) == 2:
                continue
            needed, fails = len(names) - len(method.args.defaults), False
            if not names or needed > 1 + _MOST_ARGUMENTS:
                effect, fails = "so each request to it fails", True
            elif len(names) == 1:
                effect = f"so it finds itself in {names[0]} and not the request"
            else:
                effect = "and finds None in env and ctx"
            found.append(WrongParameters(node.name, f"fetch({', '.join(names)})", method.lineno, effect, fails))
    return found


def find_misspelt_in_javascript(main: Path) -> str | None:
    """The first name before a parameter list or a colon that is one slip away from "fetch"."""
    names = re.findall(r"([A-Za-z_$]+)\s*[(:]", main.read_text(encoding="utf-8", errors="replace"))
    return next((name for name in names if _is_one_slip_from(name, "fetch")), None)


def _is_entrypoint(node: ast.ClassDef) -> bool:
    names = {base.id if isinstance(base, ast.Name) else getattr(base, "attr", "") for base in node.bases}
    return "WorkerEntrypoint" in names


def _is_one_slip_from(word: str, right: str) -> bool:
    """One letter left out, added or changed, or two neighbours that changed places."""
    places = range(len(right) + 1)
    left_out = {right[:n] + right[n + 1 :] for n in places}
    turned = {right[:n] + right[n + 1 : n + 2] + right[n : n + 1] + right[n + 2 :] for n in places}
    added = len(word) == len(right) + 1 and right in {word[:n] + word[n + 1 :] for n in range(len(word))}
    changed = len(word) == len(right) and sum(a != b for a, b in zip(word, right, strict=True)) == 1
    return word != right and (word in left_out or word in turned or added or changed)


async def dry_run(config: Config, clock: Clock) -> list[DryRun]:
    """Each worker by itself, so that one mistake does not hide the next one."""
    return [await _load(config, worker, clock) for worker in config.workers]


async def _load(config: Config, worker: Worker, clock: Clock) -> DryRun:
    alone = replace(
        config,
        workers=(worker,),
        routes=(),
        custom_domains=(),
        default_worker=worker.name,
        zones=tuple(replace(zone, products=()) for zone in config.zones),
        products=(),
        outbound=Outbound(allow_native_sockets=config.outbound.allow_native_sockets),
    )
    background = Background()
    client = OriginClient(Outbound(), clock)  # nothing is fetched; dry_edge finds what is wrong with origins
    services = Services(clock=clock, background=background, internet=client.internet, origin_at=client.at)
    store = MemoryStore()
    try:
        edge = await build(alone, services, store)
        try:
            isolate = edge.workers[worker.name].isolate
            handles = frozenset(filter(isolate.handles, _EVENTS))
            return DryRun(worker, handles=handles, entrypoints=frozenset(isolate.entrypoints()))
        finally:
            await edge.close()
    except EdgeworkerError as error:
        return DryRun(worker, str(error), error.place if isinstance(error, ScriptError) else None)
    finally:
        await background.drain(timeout_seconds=0)
        await store.close()
        await client.close()
