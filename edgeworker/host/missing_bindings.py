"""Names of `env` that a Python script reads and that its worker has not: only a call would tell.

What is certain is told and the rest passed over: a name that stands in the script as a text, too, is probably asked for
with hasattr() or getattr() first.
"""

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_ENTRYPOINTS: Final = ("WorkerEntrypoint", "DurableObject", "WorkflowEntrypoint")
_HANDLERS: Final = frozenset(("fetch", "on_fetch", "scheduled", "on_scheduled"))
_CATCH_IT: Final = frozenset(("AttributeError", "Exception", "BaseException"))
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class MissingBinding:
    name: str
    file: Path
    line: int


def find_missing_bindings(main: Path, bound: Collection[str]) -> list[MissingBinding]:
    """Each name once, where it is read first, in `main` and in the modules beside it that it imports."""
    found: dict[str, MissingBinding] = {}
    mentioned: set[str] = set()
    for file, tree in _read_modules(main):
        reader = _EnvReader()
        reader.visit(tree)
        mentioned |= reader.mentioned
        for name, line in reader.names:
            if name not in bound and not name.startswith("_"):
                found.setdefault(name, MissingBinding(name, file, line))
    return [missing for name, missing in found.items() if name not in mentioned]


def _read_modules(main: Path) -> Iterator[tuple[Path, ast.Module]]:
    waiting, seen = [main], {main}
    while waiting:
        file = waiting.pop(0)
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):  # which loading the script tells, if it matters
            continue
        yield file, tree
        for imported in _imported_files(file, main.parent, tree):
            if imported not in seen and imported.is_file():
                seen.add(imported)
                waiting.append(imported)


def _imported_files(file: Path, root: Path, tree: ast.Module) -> Iterator[Path]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            bases = [(root, alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            folder = file.parents[node.level - 1] if 0 < node.level <= len(file.parents) else root
            parts = node.module.split(".") if node.module else []
            bases = [(folder, parts), *((folder, [*parts, alias.name]) for alias in node.names)]
        else:
            continue
        for folder, parts in bases:
            if parts:
                place = folder.joinpath(*parts)
                yield place.with_name(f"{place.name}.py")
                yield place / "__init__.py"


@dataclass
class _EnvReader(ast.NodeVisitor):
    """`names` are read of what is certainly `env`, with their lines; `mentioned` are set, or stand in a text."""

    names: list[tuple[str, int]] = field(default_factory=list)
    mentioned: set[str] = field(default_factory=set)
    _certain: frozenset[str] = frozenset()  # local names of env, here
    _probable: frozenset[str] = frozenset()  # parameters named "env": of those only names in capitals count
    _in_entrypoint: bool = False
    _entrypoints: set[str] = field(default_factory=lambda: set(_ENTRYPOINTS))  # names of classes

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.mentioned.add(node.value)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module == "workers" and not node.level:
            self._certain |= {alias.asname or alias.name for alias in node.names if alias.name == "env"}

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        before = self._in_entrypoint
        self._in_entrypoint = any(_last_name(base) in self._entrypoints for base in node.bases)
        if self._in_entrypoint:
            self._entrypoints.add(node.name)
        self.generic_visit(node)
        self._in_entrypoint = before

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_function(node)

    def visit_Try(self, node: ast.Try) -> None:
        caught = {_last_name(kind) for handler in node.handlers for kind in _kinds_of(handler)}
        if not caught & _CATCH_IT:
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        names = {target.id for target in node.targets if isinstance(target, ast.Name)}
        self._certain = self._certain | names if self._is_env(node.value) else self._certain - names
        self._probable -= names

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name) and node.value is not None:
            name = {node.target.id}
            self._certain = self._certain | name if self._is_env(node.value) else self._certain - name

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.mentioned.add(node.attr)
        elif self._is_env(node.value) or (self._is_probably_env(node.value) and node.attr.isupper()):
            self.names.append((node.attr, node.lineno))
        self.generic_visit(node)

    def _visit_function(self, node: _Function) -> None:
        before = self._certain, self._probable
        parameters = {each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
        self._certain -= parameters
        self._probable -= parameters
        if "env" in parameters:
            if node.name in _HANDLERS:
                self._certain |= {"env"}
            else:
                self._probable |= {"env"}
        self.generic_visit(node)
        self._certain, self._probable = before

    def _is_env(self, node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self._certain
            case ast.Attribute(value=ast.Name(id="self"), attr="env"):
                return self._in_entrypoint
            case ast.Attribute(value=ast.Name(id="workers"), attr="env"):
                return True
            case ast.Subscript(value=ast.Attribute(attr="scope"), slice=ast.Constant(value="env")):
                return True  # of an ASGI request
            case _:
                return False

    def _is_probably_env(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in self._probable


def _kinds_of(handler: ast.ExceptHandler) -> list[ast.expr]:
    match handler.type:
        case None:
            return [ast.Name("BaseException")]
        case ast.Tuple(elts=kinds):
            return kinds
        case kind:
            return [kind]


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
