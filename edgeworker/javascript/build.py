"""What wrangler's configuration says of how a JavaScript worker's files become modules. Pure.

Source: wrangler 4.164, https://developers.cloudflare.com/workers/wrangler/configuration/#bundling
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from edgeworker.schema.wrangler_checks import MISSING, FieldContext, as_table, require_table, strings, to_json_text
from edgeworker.schema.wrangler_shape import BOOLEAN, PATH, TEXT, TEXTS_BY_KEY, WranglerType, key, setting

# Of a JavaScript or TypeScript `main`.
ENDINGS: Final = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx")
ModuleKind = Literal["esm", "commonjs", "script", "text", "data", "wasm", "json"]
WRANGLER_KINDS: Final[dict[str, ModuleKind]] = {
    "ESModule": "esm",
    "CommonJS": "commonjs",
    "CompiledWasm": "wasm",
    "Text": "text",
    "Data": "data",
}
_NOTE: Final = "for JavaScript and TypeScript, with the project's own esbuild; nothing to a Python script"
_RULES_NOTE: Final = "for JavaScript; a Python script reads its files with `open()`"


@dataclass(frozen=True, slots=True)
class ModuleRule:
    """Files that a glob matches are modules of this kind. `fallthrough`: the next rule of the kind counts too."""

    kind: ModuleKind
    globs: tuple[str, ...]
    fallthrough: bool = False


def _check_rules(context: FieldContext, value: object) -> None:
    if not isinstance(value, list):
        context.error(f'The field "{context.label}" should be an array but got {to_json_text(value)}.')
        return
    for index, item in enumerate(value):
        inner = context.item(index)
        values = as_table(item)
        if values is None:
            inner.error(f'"{inner.label}" should be an object but got {to_json_text(item)}.')
            continue
        if values.get("type") not in WRANGLER_KINDS:
            inner.error(
                'bindings should have a string "type" field, which contains one of '
                '"ESModule", "CommonJS", "CompiledWasm", "Text", or "Data".'
            )
        globs = values.get("globs", MISSING)
        if isinstance(globs, list):
            strings(inner.key("globs"), globs)
        else:
            inner.error(f'Expected "{inner.label}.globs" to be an array of strings but got {to_json_text(globs)}')
        if "fallthrough" in values and not isinstance(values["fallthrough"], bool):
            inner.error('the field "fallthrough", when present, should be a boolean.')


def _read_rules(value: object, _folder: Path) -> tuple[ModuleRule, ...]:
    return tuple(_parse_rules(value if isinstance(value, list) else []))


def _parse_rules(items: list[object]) -> Iterator[ModuleRule]:
    for item in items:
        values = as_table(item) or {}
        kind, globs = WRANGLER_KINDS.get(str(values.get("type"))), values.get("globs")
        if kind is not None and isinstance(globs, list):
            named = tuple(glob for glob in globs if isinstance(glob, str))
            yield ModuleRule(kind, named, values.get("fallthrough") is True)


def _check_defines(context: FieldContext, value: object) -> None:
    for name, item in (require_table(context, value, end=".\n") or {}).items():
        if not isinstance(item, str):
            inner = context.key(name)
            inner.error(f'The field "{inner.label}" should be a string but got {to_json_text(item)}.')


_RULES: Final = WranglerType(None, _check_rules, _read_rules)
_DEFINES: Final = WranglerType(None, _check_defines, TEXTS_BY_KEY.read)


@dataclass(frozen=True, slots=True)
class Build:
    """How a worker's files become modules; the fields are wrangler's.

    `root` is the folder of the configuration file, `base_dir` where the names of modules begin (default: the folder of
    `main`). `alias` and `define` are esbuild's.
    """

    root: Path
    no_bundle: bool = setting(False, BOOLEAN, "inherited", "USE", _NOTE)
    find_additional_modules: bool = setting(False, BOOLEAN, "inherited", "USE", _NOTE)
    preserve_file_names: bool = setting(False, BOOLEAN, "inherited", "USE", _NOTE)
    base_dir: Path | None = setting(None, PATH, "inherited", "USE", _NOTE)
    rules: tuple[ModuleRule, ...] = setting((), _RULES, "inherited", "USE", _RULES_NOTE)
    define: Mapping[str, str] = field(default_factory=dict, metadata=key(_DEFINES, "own", "USE", _NOTE, compare="vars"))
    alias: Mapping[str, str] = field(default_factory=dict, metadata=key(TEXTS_BY_KEY, "top level", "USE", _NOTE))
    minify: bool = setting(False, BOOLEAN, "inherited", "USE", _NOTE)
    keep_names: bool = setting(True, BOOLEAN, "inherited", "USE", _NOTE)
    tsconfig: Path | None = setting(None, PATH, "inherited", "USE", _NOTE)
    jsx_factory: str = setting("React.createElement", TEXT, "inherited", "USE", _NOTE)
    jsx_fragment: str = setting("React.Fragment", TEXT, "inherited", "USE", _NOTE)
