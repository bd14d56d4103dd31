"""Which script a worker runs: its `main`, or the built-in one; and why not, where that cannot be."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.bindings import AssetsBinding
from edgeworker.javascript.build import ENDINGS
from edgeworker.schema.diagnostics import Diagnostics, SourceLocation
from wrangler_compat.config import ParsedWorker

_PYTHON: Final = ".py"
_USUAL: Final = ("index.js", "index.mjs", "index.ts", "src/index.js", "src/index.mjs", "src/index.ts")


@dataclass(frozen=True, slots=True)
class ScriptEntry:
    """`main` None: there are only static assets."""

    main: Path | None
    is_default_script: bool


def find_entry(
    parsed: ParsedWorker, default_script: Path, diagnostics: Diagnostics, *, use_default_script: bool
) -> ScriptEntry | None:
    """None, with an error told, if the worker cannot run. `use_default_script` puts it in place of JavaScript."""
    folder = parsed.document.file.parent
    default = ScriptEntry(default_script, True)
    if parsed.main is not None:
        return _find_configured(
            parsed, folder / parsed.main, default, diagnostics, use_default_script=use_default_script
        )
    if parsed.assets is not None:
        return _assets_alone(parsed, diagnostics)
    script = next((name for name in _USUAL if (folder / name).is_file()), None)
    if script is not None:
        if use_default_script:
            return _default_in_place_of(parsed, script, default, diagnostics)
        return ScriptEntry((folder / script).resolve(), False)
    if use_default_script:
        return default
    diagnostics.warning(
        f'The worker "{parsed.name}" has no "main": it runs the built-in split-token script. '
        'To run your own, add main = "worker.py".',
        SourceLocation(parsed.document.name),
    )
    return default


def _assets_alone(parsed: ParsedWorker, diagnostics: Diagnostics) -> ScriptEntry | None:
    location = parsed.document.locate(("assets",))
    if any(isinstance(binding, AssetsBinding) for binding in parsed.bindings):
        diagnostics.error(
            "Cannot use assets with a binding in an assets-only Worker.\n"
            "Please remove the asset binding from your configuration file, or provide a Worker script in your "
            "configuration file (`main`).",
            location,
        )
        return None
    if parsed.assets is not None and parsed.assets.run_worker_first is not False:
        diagnostics.error(
            "Cannot set run_worker_first without a Worker script.\n"
            "Please remove run_worker_first from your configuration file, or provide a Worker script in your "
            "configuration file (`main`).",
            location,
        )
        return None
    return ScriptEntry(None, False)


def _find_configured(
    parsed: ParsedWorker, main: Path, default: ScriptEntry, diagnostics: Diagnostics, *, use_default_script: bool
) -> ScriptEntry | None:
    written = parsed.main or ""
    if main.suffix in ENDINGS and use_default_script:
        return _default_in_place_of(parsed, written, default, diagnostics)
    if not main.is_file():
        looked = " (it is a folder)" if main.is_dir() else ""
        diagnostics.error(f'The entry-point file at "{written}" was not found{looked}.', parsed.main_location)
        return None
    if main.suffix not in (_PYTHON, *ENDINGS):
        diagnostics.error(
            f'The entry-point file at "{written}" is not a script that runs here: its name must end in ".py", or for '
            'JavaScript and TypeScript in ".js", ".mjs", ".ts", ".tsx" or ".jsx".',
            parsed.main_location,
        )
        return None
    return ScriptEntry(main.resolve(), False)


def _default_in_place_of(
    parsed: ParsedWorker, written: str, default: ScriptEntry, diagnostics: Diagnostics
) -> ScriptEntry:
    diagnostics.warning(
        f'The worker "{parsed.name}" is written in JavaScript or TypeScript ("{written}"): the built-in split-token '
        "script runs in its place.",
        parsed.main_location,
    )
    return default
