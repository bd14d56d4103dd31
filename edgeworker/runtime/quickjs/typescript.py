"""TypeScript and JSX without a bundler: sucrase, run in QuickJS, removes the types line for line."""

import re
from pathlib import Path
from typing import Final

from edgeworker.errors import ScriptError
from edgeworker.runtime.quickjs.adapter import ComputedTooLong, Crossing, Engine, OutOfMemory, ScriptThrew

_SUCRASE: Final = Path(__file__).parent / "vendor" / "sucrase.js"
_MEMORY_BYTES: Final = 512 * 1024 * 1024
_SECONDS: Final = 120.0
_JSX: Final = {".tsx": 1, ".jsx": 2}  # with types; without
_POSITION: Final = re.compile(r"\s*\((\d+):(\d+)\)$")
_STRIP: Final = """globalThis.__edgeworker = { strip(code, file, jsx) {
  try { host.stripped(null, strip(code, file, jsx)); }
  catch (error) { host.stripped(String(error.message), null); }
} };"""


class TypeStripper:
    """Used on one thread: the engine is made at the first file, and let go by `close`."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._answer: tuple[Crossing, ...] = ()

    def __call__(self, source: str, file: Path) -> str:
        """Raises ScriptError with the line for what sucrase does not parse."""
        if self._engine is None:
            self._engine = Engine(_MEMORY_BYTES, {"stripped": self._take_answer}, lambda _: None)
            self._engine.evaluate(_SUCRASE.read_text("utf-8"), "sucrase.js", module=False, seconds=_SECONDS)
            start = "{ const host = __edgeworker_host, strip = __strip;" + _STRIP + "}"
            self._engine.evaluate(start, "edgeworker:typescript", module=False, seconds=_SECONDS)
            self._strip = self._engine.take("__edgeworker", ("strip",))[0]
        try:
            self._engine.call(self._strip, source, file.name, _JSX.get(file.suffix, 0), seconds=_SECONDS)
        except (ComputedTooLong, OutOfMemory, ScriptThrew) as error:
            raise ScriptError(f"{file}: its types cannot be removed here; {_ADVICE}") from error
        match self._answer:
            case (None, str(text)):
                return text
            case (str(refusal), _):
                raise ScriptError(_explain(refusal, file))
            case _:
                raise ScriptError(f"{file}: its types cannot be removed here; {_ADVICE}")

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _take_answer(self, *given: Crossing) -> None:
        self._answer = given


_ADVICE: Final = (
    'if the syntax is right, it is newer than the parser here: run "npm install --save-dev esbuild" in the project, '
    'or let "main" be a ready bundle'
)


def _explain(text: str, file: Path) -> str:
    place = _POSITION.search(text)
    words = _POSITION.sub("", text).removeprefix(f"Error transforming {file.name}: ")
    where = f"{file}:{place[1]}:{place[2]}" if place is not None else str(file)
    return f"{where}: {words}; {_ADVICE}"
