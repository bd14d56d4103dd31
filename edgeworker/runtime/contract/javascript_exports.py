"""What a JavaScript worker exports, as its engine told it: the same questions and texts for every engine. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from edgeworker.config import JSON
from edgeworker.errors import ScriptError
from edgeworker.runtime.contract.javascript import JavaScriptException
from edgeworker.runtime.contract.javascript_values import encode


@dataclass(frozen=True, slots=True)
class JavaScriptExports:
    """`main` is named in messages. `handlers` are those of the default export, `names` its other entrypoints."""

    worker: str
    main: str
    handlers: Collection[str] = ()
    names: Collection[str] = ()

    def told(self, value: object) -> Self:
        """With what the engine's entry module told: `{"default": [handlers], "names": [classes]}`."""
        known: Mapping[str, object] = value if isinstance(value, dict) else {}
        return type(self)(self.worker, self.main, _texts(known.get("default")), _texts(known.get("names")))

    def check_some(self) -> None:
        """Raises ScriptError for a script that answers nothing."""
        if not self.handlers and not self.names:
            raise ScriptError(
                f"{self.main}: the worker has no event handlers; export a default object with a fetch(request, env, "
                "ctx) function"
            )

    def check_scheduled(self) -> None:
        """Raises ScriptError."""
        if "scheduled" not in self.handlers:
            raise ScriptError(
                f'worker "{self.worker}": there is no scheduled() handler; add one to the default export of {self.main}'
            )

    def check_entrypoint(self, entrypoint: str | None) -> None:
        """Raises ScriptError."""
        if entrypoint is not None and entrypoint not in self.names:
            raise ScriptError(
                f'worker "{self.worker}" has no entrypoint "{entrypoint}"; it exports: {", ".join(self.entrypoints())}'
            )

    def entrypoints(self) -> Collection[str]:
        return ("default", *self.names)


def encode_arguments(args: Sequence[object], options: Mapping[str, object]) -> list[JSON]:
    """A call of JavaScript has no keyword arguments: an object is its last argument, as Python Workers send it."""
    return [encode(arg) for arg in (*args, *([dict(options)] if options else []))]


def describe_error(error: BaseException) -> str:
    if isinstance(error, JavaScriptException):
        return error.stack or str(error)
    return f"{type(error).__name__}: {error}"


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
