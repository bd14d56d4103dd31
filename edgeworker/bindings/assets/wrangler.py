"""The table `assets` of wrangler's configuration, and what it means.

Looks at the disk only to see whether the directory is there.

Texts: wrangler 4.164.0 (its deploy and its dev command).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.bindings.assets.binding import AssetsBinding
from edgeworker.config import Assets, HTMLHandling, NotFoundHandling
from edgeworker.schema.diagnostics import Diagnostics, SourceLocation
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_checks import FieldContext, as_table, strings, table, to_json_text
from edgeworker.schema.wrangler_field import inherited
from edgeworker.schema.wrangler_shape import TEXTS, WranglerType, choice, member, members_of, read_table

MAX_RULES: Final = 100
MAX_RULE_CHARACTERS: Final = 100
# https://developers.cloudflare.com/workers/configuration/compatibility-flags/#navigation-requests-prefer-asset-serving
_NAVIGATION_SINCE: Final = "2025-04-01"
_NAVIGATION_ON: Final = "assets_navigation_prefers_asset_serving"
_NAVIGATION_OFF: Final = "assets_navigation_has_no_effect"


def run_worker_first(context: FieldContext, value: object) -> None:
    if isinstance(value, list):
        strings(context, value)
    elif not isinstance(value, bool):
        context.error(
            f'The field "{context.label}" should be an array of strings or a boolean, but got {to_json_text(value)}.'
        )


def _read_run_worker_first(value: object, folder: Path) -> object | None:
    return value if isinstance(value, bool) else TEXTS.read(value, folder)


@dataclass(frozen=True, slots=True)
class AssetsTable:
    """[assets]"""

    directory: str | None = member(None)
    binding: str | None = member(None)
    html_handling: HTMLHandling = member(
        "auto-trailing-slash", choice("auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none")
    )
    not_found_handling: NotFoundHandling = member("none", choice("single-page-application", "404-page", "none"))
    base_path: str = member("/")
    run_worker_first: bool | tuple[str, ...] = member(
        False, WranglerType(None, run_worker_first, _read_run_worker_first)
    )


FIELD: Final = inherited(
    "assets",
    table(*members_of(AssetsTable)),
    "USE",
    "served before or behind the script, or alone; with `_headers`, `_redirects` and `.assetsignore`; "
    "without files of secrets (`.dev.vars`, `.env`, `.git`); the ETag is "
    "another one than Cloudflare's, and links that lead out of the directory are not followed",
    "Assets",
)


def read_bindings(fields: WorkerFields) -> Iterator[AssetsBinding]:
    table = _table(fields)
    if table is not None and table.binding is not None:
        yield AssetsBinding(table.binding)


def _table(fields: WorkerFields) -> AssetsTable | None:
    return read_table(AssetsTable, as_table(fields.value(FIELD.name)), fields.folder)


def parse_assets(fields: WorkerFields, *, date: str | None, flags: Sequence[str]) -> Assets | None:
    """None without assets, and where an error was told."""
    table, locate, diagnostics = _table(fields), fields.locate, fields.diagnostics
    if table is None:
        return None
    if table.directory is None:
        diagnostics.error(
            'The "assets" property in your configuration is missing the required "directory" property.',
            locate("assets"),
        )
        return None
    directory = (fields.folder / table.directory).resolve()
    if not directory.is_dir():
        what = "is not a directory" if directory.exists() else "does not exist"
        diagnostics.error(
            f'The directory specified by the "assets.directory" field in your configuration file {what}:\n{directory}',
            locate("assets", "directory"),
        )
        return None
    if isinstance(table.run_worker_first, tuple):
        for text in _mistakes(table.run_worker_first):
            diagnostics.error(f"Invalid routes in `run_worker_first`:\n{text}", locate("assets", "run_worker_first"))
    return Assets(
        directory,
        html_handling=table.html_handling,
        not_found_handling=table.not_found_handling,
        base_path=_base_path(table.base_path, locate, diagnostics),
        run_worker_first=table.run_worker_first,
        navigation_prefers_assets=_NAVIGATION_ON in flags
        or ((date or "") >= _NAVIGATION_SINCE and _NAVIGATION_OFF not in flags),
    )


def _mistakes(globs: Sequence[str]) -> Iterator[str]:
    if not globs:
        yield "No `run_worker_first` rules were provided; must provide at least 1 rule."
    if len(globs) > MAX_RULES:
        count = f"{len(globs)} rules provided exceeds max of {MAX_RULES}"
        yield f"Too many `run_worker_first` rules were provided; {count}."
    if globs and all(glob.startswith("!/") for glob in globs):
        yield "Only negative `run_worker_first` rules were provided; must provide at least 1 non-negative rule"
    for index, glob in enumerate(globs):
        if glob.startswith("!") and not glob.startswith("!/"):
            yield f"'{glob}': negative rules must start with '!/'"
        elif not glob.startswith(("/", "!/")):
            yield f"'{glob}': rules must start with '/' or '!/'"
        elif len(glob) > MAX_RULE_CHARACTERS:
            yield f"'{glob}': all rules must be less than {MAX_RULE_CHARACTERS} characters in length"
        elif glob in globs[:index]:
            yield f"'{glob}': rule is a duplicate; rules must be unique"


def _base_path(written: str, locate: Callable[..., SourceLocation], diagnostics: Diagnostics) -> str:
    """With one slash at its beginning and one at its end."""
    mistake = None
    if not written:
        mistake = "The value must not be empty."
    elif written.startswith("//") or re.match(r"[a-zA-Z][a-zA-Z\d+.-]*:", written):
        mistake = "The value must be a pathname, not a URL."
    elif "\\" in written:
        mistake = "The value must not contain backslashes."
    elif "?" in written or "#" in written:
        mistake = "The value must not contain query strings or fragments."
    elif not written.isprintable():
        mistake = "The value must not contain control characters."
    elif {".", ".."} & set(written.split("/")):
        mistake = 'The value must not contain "." or ".." segments.'
    if mistake is not None:
        diagnostics.error(f'Invalid "assets.base_path" "{written}": {mistake}', locate("assets", "base_path"))
        return "/"
    segments = [segment for segment in written.split("/") if segment]
    return f"/{'/'.join(segments)}/" if segments else "/"
