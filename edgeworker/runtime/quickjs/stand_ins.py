"""Modules that this engine lacks: a package that only imports one must load, and what uses it must say so. Pure."""

import json
import re
from collections.abc import Iterable
from typing import Final

INSTEAD: Final = (
    'run the worker in workerd: "npm install --save-dev wrangler" in the project, or javascript.engine = "workerd"'
)
_SOURCE: Final = """const __lacking = (name) => new Proxy(function () {}, {
  get(target, part) {
    const isOwn = typeof part === "symbol" || part === "prototype" || part === "then";
    return isOwn ? target[part] : __lacking(`${name}.${part}`);
  },
  apply() { throw new Error(`The embedded JavaScript engine has no ${name}(); INSTEAD`); },
  construct() { throw new Error(`The embedded JavaScript engine has no ${name}; INSTEAD`); },
});
const __lacking_module = __lacking(MODULE);
""".replace("INSTEAD", INSTEAD.replace("`", ""))


def stand_in(name: str, sources: Iterable[bytes]) -> str:
    """A module with each name that the sources import of it."""
    made = "export default __lacking_module;\n"
    return _SOURCE.replace("MODULE", json.dumps(name)) + made + _write_exports(name, sources, frozenset())


def complete(name: str, own: str, sources: Iterable[bytes]) -> str:
    """A module of ours, with a stand-in for each name that the sources import of it and that it lacks."""
    exports = _write_exports(name, sources, _find_exports(own))
    return own if exports == "" else f"{own}\n{_SOURCE.replace('MODULE', json.dumps(name))}{exports}"


def _write_exports(name: str, sources: Iterable[bytes], there: frozenset[str]) -> str:
    names = {imported for source in sources for imported in _find_imports(name, source)} - there - {"default"}
    return "".join(f"export const {one} = __lacking_module.{one};\n" for one in sorted(names))


def _find_exports(own: str) -> frozenset[str]:
    names = set(re.findall(r"^export (?:const|let|class|(?:async )?function\*?) (\w+)", own, re.M))
    for listed in re.findall(r"^export (?:const )?\{([^}]*)\}", own, re.M):
        names.update(re.split(r" as |:", one)[-1].strip() for one in listed.split(","))
    return frozenset(names)


def _find_imports(name: str, source: bytes) -> Iterable[str]:
    clause = (
        rb"""(?:import|export)\s*(?:[\w$]+\s*,\s*)?\{([^}]*)\}\s*from\s*["']"""
        + re.escape(name.encode())
        + rb"""["']"""
    )
    for found in re.finditer(clause, source):
        for one in found[1].decode("utf-8", "replace").split(","):
            imported = one.split(" as ")[0].strip()
            if re.fullmatch(r"[A-Za-z_$][\w$]*", imported):
                yield imported
