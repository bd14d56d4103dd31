"""How wrangler's configuration says that a JavaScript `main` becomes modules. Pure."""

from collections.abc import Iterator
from pathlib import Path

from edgeworker.javascript.project import Build, ModuleRule
from edgeworker.javascript.rules import WRANGLER_KINDS
from edgeworker.schema.worker_fields import WorkerFields


def read_build(fields: WorkerFields, folder: Path) -> Build:
    """`folder` has the configuration file; paths start there. A value of a wrong type was told of already."""
    defaults = Build(folder)
    base, tsconfig = fields.text("base_dir"), fields.text("tsconfig")
    return Build(
        folder,
        no_bundle=_flag(fields, "no_bundle", default=False),
        find_additional_modules=_flag(fields, "find_additional_modules", default=False),
        preserve_file_names=_flag(fields, "preserve_file_names", default=False),
        base_dir=None if base is None else (folder / base).resolve(),
        rules=tuple(_rules(fields)),
        define=_texts(fields, "define"),
        alias=_texts(fields, "alias"),
        minify=_flag(fields, "minify", default=False),
        keep_names=_flag(fields, "keep_names", default=True),
        tsconfig=None if tsconfig is None else (folder / tsconfig).resolve(),
        jsx_factory=fields.text("jsx_factory") or defaults.jsx_factory,
        jsx_fragment=fields.text("jsx_fragment") or defaults.jsx_fragment,
    )


def _flag(fields: WorkerFields, name: str, *, default: bool) -> bool:
    value = fields.value(name)
    return value if isinstance(value, bool) else default


def _texts(fields: WorkerFields, name: str) -> dict[str, str]:
    return {key: value for key, value in fields.table(name).items() if isinstance(value, str)}


def _rules(fields: WorkerFields) -> Iterator[ModuleRule]:
    for _, item in fields.items("rules"):
        kind, globs = WRANGLER_KINDS.get(str(item.get("type"))), item.get("globs")
        if kind is not None and isinstance(globs, list):
            named = tuple(glob for glob in globs if isinstance(glob, str))
            yield ModuleRule(kind, named, item.get("fallthrough") is True)
