"""Values in `env`: texts, JSON and secrets. There is no service behind them but the value itself."""

from typing import TYPE_CHECKING, Final

from edgeworker.bindings.kind import UNKNOWN_TYPE, make_kind
from edgeworker.bindings.variables import wrangler
from edgeworker.bindings.variables.binding import JSONBinding, SecretBinding, TextBinding
from edgeworker.config import JSON as JSONValue

if TYPE_CHECKING:
    from edgeworker.runtime.contract.javascript import EnvEntry

_CALLED: Final = "Environment Variable"
_SHOWN_CHARACTERS: Final = 60


def _python_value(_binding: JSONBinding, value: JSONValue) -> object:
    from edgeworker.runtime.webapi.data import as_objects

    return as_objects(value)


def _javascript_value(_binding: object, value: JSONValue) -> "EnvEntry":
    from edgeworker.runtime.contract.javascript import EnvValue

    return EnvValue(value)


def _annotate_value(binding: JSONBinding) -> str:
    match binding.value:
        case bool() | int() | float() as value:
            return type(value).__name__
        case _:
            return UNKNOWN_TYPE  # an object of JavaScript


def _shorten(text: str) -> str:
    line = text.replace("\n", "\\n")
    return line if len(line) <= _SHOWN_CHARACTERS else f"{line[: _SHOWN_CHARACTERS - 1]}…"


TEXT: Final = make_kind(
    TextBinding,
    fields=(wrangler.VARS,),
    describe=lambda binding: (_CALLED, _shorten(f'"{binding.text}"')),
    annotate=lambda _binding: "str",
    service=lambda binding, _resources: binding.text,
    python=lambda _binding, text: text,
    javascript=_javascript_value,
)
JSON: Final = make_kind(
    JSONBinding,
    fields=(wrangler.VERSION_METADATA,),
    describe=lambda binding: (_CALLED, _shorten(str(binding.value))),
    annotate=_annotate_value,
    service=lambda binding, _resources: binding.value,
    python=_python_value,
    javascript=_javascript_value,
)
SECRET: Final = make_kind(
    SecretBinding,
    fields=(wrangler.SECRETS,),
    describe=lambda binding: (_CALLED, '"(hidden)"'),
    annotate=lambda _binding: "str",
    service=lambda binding, _resources: binding.text,
    python=lambda _binding, text: text,
    javascript=_javascript_value,
)
