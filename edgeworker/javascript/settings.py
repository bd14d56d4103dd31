"""What runs JavaScript workers: the table [javascript] of edge.toml. Pure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from edgeworker.schema import fields as schema
from edgeworker.schema.value_types import PATH, POSITIVE, one_of

JavaScriptEngine = Literal["auto", "workerd", "embedded"]
ENGINES: Final[tuple[str, ...]] = get_args(JavaScriptEngine)


@dataclass(frozen=True, slots=True)
class JavaScriptSettings:
    """How JavaScript and TypeScript workers run. "auto": workerd if it is in the project's own node_modules, else the
    embedded engine. `heap_megabytes` bounds the memory of the engine's isolates (Cloudflare: 128).
    """

    engine: JavaScriptEngine = schema.setting(
        "auto", one_of(*ENGINES), "`auto`: workerd from the project's node_modules, else embedded"
    )
    workerd: Path | None = schema.setting(None, PATH, "the workerd program; default: of node_modules, else on PATH")
    heap_megabytes: int = schema.setting(128, POSITIVE, "memory of JavaScript objects")


DEFAULT_SETTINGS: Final = JavaScriptSettings()
