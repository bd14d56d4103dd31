"""The modules of ours that stand before a worker's own in a child. Pure, but for reading files of this package."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from edgeworker.javascript.project import Module, Project

NAME: Final = "edgeworker-entry.mjs"
CONTROL_BINDING: Final = "__edgeworker_control"
EVENT_FIELD: Final = "ew-event"
_RUNTIME: Final = "edgeworker-runtime.mjs"
_KEPT_READS: Final = "edgeworker-kept-reads.mjs"
_VALUES: Final = "edgeworker-values.mjs"
_SERVICE_WORKER: Final = "edgeworker-service-worker.mjs"


def entry_modules(
    project: Project, worker: str, entrypoints: Sequence[str], durable_objects: Sequence[str] = ()
) -> list[Module]:
    """The entry comes first. `entrypoints` are the named exports that are called from outside of the worker,
    `durable_objects` those that are classes of Durable Objects."""
    text = _read("entry.mjs").replace('"__MAIN__"', json.dumps(f"./{project.main}"))
    text = text.replace('"__NAME__"', json.dumps(worker))
    modules = [
        Module(_RUNTIME, "esm", _read("runtime.mjs").encode()),
        Module(_KEPT_READS, "esm", _read("kept_reads.mjs").encode()),
        Module(_VALUES, "esm", _read("values.mjs").encode()),
    ]
    if project.is_service_worker:
        modules.append(Module(_SERVICE_WORKER, "esm", _read("service_worker.mjs").encode()))
        text = text.replace("/* __PRELUDE__ */", f'import "./{_SERVICE_WORKER}";')
        # What a service worker exports is for its own tests; workerd would take each name for an entrypoint.
        text = text.replace("/* __EXPORTS__ */", "")
        text += 'const main = globalThis[Symbol.for("edgeworker.listeners")];\n'
        text += 'export default wrap(main, "service worker");\n'
    else:
        text = text.replace("/* __EXPORTS__ */", f"export * from {json.dumps(f'./{project.main}')};")
        text += 'const main = worker.default;\nexport default wrap(main, "default export");\n'
        for number, name in enumerate(entrypoints):
            text += f"const named{number} = wrap(worker[{json.dumps(name)}], {json.dumps(name)});\n"
            text += f"export {{ named{number} as {name} }};\n"
        for number, name in enumerate(durable_objects):
            text += f"const object{number} = wrapObject(worker[{json.dumps(name)}], {json.dumps(name)});\n"
            text += f"export {{ object{number} as {name} }};\n"
    return [Module(NAME, "esm", text.encode()), *modules]


def extension_modules() -> dict[str, str]:
    """For what stands behind names of `env`, by module name."""
    return {"edgeworker:values": _read("values.mjs"), "edgeworker:bindings": _read("bindings.mjs")}


@cache
def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")
