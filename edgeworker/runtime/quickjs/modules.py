"""Which source an import finds: ours, a part of Node.js, or one of the worker's own modules."""

import json
from functools import cache
from pathlib import Path
from typing import Final

from edgeworker.javascript.node_builtins import NODE_BUILTINS
from edgeworker.javascript.project import Module, Project

_VENDORED: Final = ("web-streams-polyfill", "buffer")
# Of Node.js, by the name of the file in rt/.
NODE_MODULES: Final = {
    "assert": "node_assert",
    "buffer": "node_buffer",
    "crypto": "node_crypto",
    "events": "node_events",
    "process": "node_process",
    "stream": "node_stream",
    "timers": "node_timers",
    "url": "node_url",
    "util": "node_util",
}
_INSTEAD: Final = (
    'run the worker in workerd: "npm install --save-dev wrangler" in the project, or javascript.engine = "workerd"'
)


class ModuleLoader:
    """`missing` is what to tell of the last module that was not found."""

    def __init__(self, project: Project, flags: tuple[str, ...]) -> None:
        self._project = project
        self._modules = {module.name: module for module in project.modules}
        self._has_node = any(flag.startswith("nodejs_compat") for flag in flags)
        self.missing: str | None = None

    def prelude(self) -> str:
        """What runs first. Under nodejs_compat `process` and `Buffer` are globals."""
        lines = ['import "edgeworker:entry";']
        if self._has_node:
            lines += [
                'import process from "node:process"; import { Buffer } from "node:buffer";',
                "Object.assign(globalThis, { process, Buffer, global: globalThis });",
            ]
        return "\n".join(lines)

    def main(self) -> tuple[str, bool]:
        """The source that starts the worker, and whether it loads modules. A classic script is its own source."""
        name = self._project.main
        module = self._modules[name]
        if module.kind == "script":
            return module.content.decode(), False
        return f"globalThis.__edgeworker_main = {{ run: () => import({json.dumps(name)}) }};", True

    def load(self, name: str) -> str | None:
        if name.startswith("edgeworker:"):
            return _own(name.removeprefix("edgeworker:"))
        if name == "cloudflare:workers":
            return _own("workers")
        module = self._modules.get(name)
        if module is not None:
            return self._source(module)
        node = name.removeprefix("node:")
        if node in NODE_MODULES:
            return _own(NODE_MODULES[node])
        if node in NODE_BUILTINS or name.startswith(("cloudflare:", "workerd:")):
            self.missing = f'The embedded JavaScript engine has no module "{name}"; {_INSTEAD}'
        else:
            self.missing = f'There is no module "{name}"; correct the import'
        return None

    def _source(self, module: Module) -> str | None:
        match module.kind:
            case "text":
                return f"export default {json.dumps(module.content.decode('utf-8', 'replace'))};"
            case "json":
                return f"export default JSON.parse({json.dumps(module.content.decode('utf-8', 'replace'))});"
            case "data":
                numbers = json.dumps(module.content.hex())
                return f"export default Uint8Array.fromHex({numbers}).buffer;"
            case "commonjs":
                code = module.content.decode()
                before = "const module = { exports: {} }, exports = module.exports;"
                return f"{before} {code}\nexport default module.exports;"
            case "wasm":
                self.missing = f"{module.name}: the embedded JavaScript engine has no WebAssembly; {_INSTEAD}"
                return None
            case _:
                return module.content.decode()


@cache
def _own(name: str) -> str | None:
    folder = Path(__file__).parent
    file = folder / "vendor" / f"{name}.mjs" if name in _VENDORED else folder / "rt" / f"{name}.js"
    return file.read_text("utf-8") if file.is_file() else None
