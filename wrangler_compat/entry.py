"""Which script a worker runs: its `main`, or the built-in one; and why not, where that cannot be."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.bindings import AssetsBinding
from wrangler_compat.config import Plan
from wrangler_compat.diagnostics import Diagnostics, Place

_PYTHON: Final = ".py"
_JAVASCRIPT: Final = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx")
_USUAL: Final = ("index.js", "index.mjs", "index.ts", "src/index.js", "src/index.mjs", "src/index.ts")


@dataclass(frozen=True, slots=True)
class Entry:
    """`main` None: there are only static assets."""

    main: Path | None
    is_default_script: bool


def find_entry(plan: Plan, default_script: Path, diagnostics: Diagnostics, *, use_default_script: bool) -> Entry | None:
    """None, with an error told, if the worker cannot run. `use_default_script` puts it in place of JavaScript."""
    folder = plan.document.file.parent
    default = Entry(default_script, True)
    if plan.main is not None:
        return _configured(plan, folder / plan.main, default, diagnostics, use_default_script=use_default_script)
    if plan.assets is not None:
        return _assets_alone(plan, diagnostics)
    script = next((name for name in _USUAL if (folder / name).is_file()), None)
    if script is not None:
        return _javascript(plan, script, default, diagnostics, use_default_script=use_default_script)
    diagnostics.warning(
        f'The worker "{plan.name}" has no "main": it runs the built-in split-token script. '
        'To run your own, add main = "worker.py".',
        Place(plan.document.name),
    )
    return default


def _assets_alone(plan: Plan, diagnostics: Diagnostics) -> Entry | None:
    place = plan.document.place(("assets",))
    if any(isinstance(binding, AssetsBinding) for binding in plan.bindings):
        diagnostics.error(
            "Cannot use assets with a binding in an assets-only Worker.\n"
            "Please remove the asset binding from your configuration file, or provide a Worker script in your "
            "configuration file (`main`).",
            place,
        )
        return None
    if plan.assets is not None and plan.assets.run_worker_first is not False:
        diagnostics.error(
            "Cannot set run_worker_first without a Worker script.\n"
            "Please remove run_worker_first from your configuration file, or provide a Worker script in your "
            "configuration file (`main`).",
            place,
        )
        return None
    return Entry(None, False)


def _configured(
    plan: Plan, main: Path, default: Entry, diagnostics: Diagnostics, *, use_default_script: bool
) -> Entry | None:
    written = plan.main or ""
    if main.suffix in _JAVASCRIPT:
        return _javascript(plan, written, default, diagnostics, use_default_script=use_default_script)
    if not main.is_file():
        looked = " (it is a folder)" if main.is_dir() else ""
        diagnostics.error(f'The entry-point file at "{written}" was not found{looked}.', plan.main_place)
        return None
    if main.suffix != _PYTHON:
        diagnostics.error(
            f'The entry-point file at "{written}" is not a Python script: its name must end in ".py".', plan.main_place
        )
        return None
    return Entry(main.resolve(), False)


def _javascript(
    plan: Plan, written: str, default: Entry, diagnostics: Diagnostics, *, use_default_script: bool
) -> Entry | None:
    what = f'The worker "{plan.name}" is written in JavaScript or TypeScript ("{written}")'
    if use_default_script:
        diagnostics.warning(f"{what}: the built-in split-token script runs in its place.", plan.main_place)
        return default
    diagnostics.error(
        f"{what}, and JavaScript workers do not run in edgeworker yet: only Python workers do.\n"
        'Point "main" at a Python script, or use --default-script to run the built-in split-token script in its place.',
        plan.main_place,
    )
    return None
