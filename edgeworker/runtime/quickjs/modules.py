"""Which source an import finds: ours, a part of Node.js, or one of the worker's own modules."""

import json
from functools import cache
from pathlib import Path
from typing import Final

from edgeworker.javascript.node_builtins import NODE_BUILTINS
from edgeworker.javascript.project import Module, Project
from edgeworker.runtime.quickjs.stand_ins import INSTEAD, complete, stand_in

_VENDORED: Final = ("web-streams-polyfill", "buffer", "readable-stream", "urlpattern-polyfill")
# Of Node.js, by the name of the file in rt/.
NODE_MODULES: Final = {
    "assert": "node_assert",
    "async_hooks": "node_async_hooks",
    "buffer": "node_buffer",
    "crypto": "node_crypto",
    "diagnostics_channel": "node_diagnostics_channel",
    "events": "node_events",
    "path": "node_path",
    "perf_hooks": "node_perf_hooks",
    "process": "node_process",
    "querystring": "node_querystring",
    "stream": "node_stream",
    "stream/consumers": "node_stream_consumers",
    "stream/promises": "node_stream_promises",
    "stream/web": "node_stream_web",
    "string_decoder": "node_string_decoder",
    "timers": "node_timers",
    "timers/promises": "node_timers_promises",
    "url": "node_url",
    "util": "node_util",
    "util/types": "node_util_types",
    "assert/strict": "node_assert",
    "path/posix": "node_path",
    "sys": "node_util",
}
# Large ones, which CommonJS code can ask for by name: loaded first where the worker's code has the name.
_LOADED_BY_NAME: Final = ("async_hooks", "stream", "stream/promises")
# What needs Intl, which is loaded only where the worker's code has one of these.
_INTL_NAMES: Final = (b"Intl", b"toLocale", b"localeCompare")
_DEFINE_URL_PATTERN: Final = (
    'Object.defineProperty(globalThis, "URLPattern", { value: URLPattern, configurable: true, writable: true });'
)
_CLOUDFLARE_MODULES: Final = frozenset(
    {"cloudflare:sockets", "cloudflare:email", "cloudflare:node", "cloudflare:workflows"}
)


class ModuleLoader:
    """`missing` is what to tell of the last module that was not found, `lacking` names modules whose use throws."""

    def __init__(self, project: Project, flags: tuple[str, ...]) -> None:
        self._project = project
        self._modules = {module.name: module for module in project.modules}
        self._has_node = any(flag.startswith("nodejs_compat") for flag in flags)
        self.missing: str | None = None
        self.lacking: list[str] = []

    def prelude(self) -> str:
        """What runs first. Under nodejs_compat `process` and `Buffer` are globals."""
        lines = ['import "edgeworker:entry";']
        if any(name in module.content for module in self._modules.values() for name in _INTL_NAMES):
            lines.append('import "edgeworker:intl";')
        if any(b"URLPattern" in module.content for module in self._modules.values()):
            lines += ['import { URLPattern } from "edgeworker:urlpattern-polyfill";', _DEFINE_URL_PATTERN]
        if self._has_node:
            lines += [
                'import process from "node:process"; import { Buffer } from "node:buffer";',
                "Object.assign(globalThis, { process, Buffer, global: globalThis });",
                *(f'import "node:{name}";' for name in _LOADED_BY_NAME if self._mentions(name)),
            ]
        return "\n".join(lines)

    def _mentions(self, name: str) -> bool:
        texts = [f"{quote}{prefix}{name}{quote}".encode() for quote in "\"'" for prefix in ("", "node:")]
        return any(text in module.content for module in self._modules.values() for text in texts)

    def main(self) -> tuple[str, bool]:
        """The source that starts the worker, and whether it loads modules. A classic script is its own source."""
        name = self._project.main
        module = self._modules[name]
        if module.kind == "script":
            return module.content.decode(), False
        return f"globalThis.__edgeworker_main = () => import({json.dumps(name)});", True

    def load(self, name: str) -> str | None:
        if name.startswith("edgeworker:"):
            return _read_own(name.removeprefix("edgeworker:"))
        if name == "cloudflare:workers":
            return _read_own("workers")
        module = self._modules.get(name)
        if module is not None:
            return self._translate_module(module)
        node = name.removeprefix("node:")
        if node in NODE_MODULES:
            own = _read_own(NODE_MODULES[node])
            return None if own is None else complete(name, own, self._list_code())
        if node in NODE_BUILTINS or name in _CLOUDFLARE_MODULES:
            self.lacking.append(name)
            return stand_in(name, self._list_code())
        self.missing = f'There is no module "{name}"; correct the import'
        return None

    def _list_code(self) -> list[bytes]:
        return [module.content for module in self._modules.values() if module.kind == "esm"]

    def _translate_module(self, module: Module) -> str | None:
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
                self.missing = f"{module.name}: the embedded JavaScript engine has no WebAssembly; {INSTEAD}"
                return None
            case _:
                return module.content.decode()


@cache
def _read_own(name: str) -> str | None:
    folder = Path(__file__).parent
    file = folder / "vendor" / f"{name}.mjs" if name in _VENDORED else folder / "rt" / f"{name}.js"
    return file.read_text("utf-8") if file.is_file() else None
