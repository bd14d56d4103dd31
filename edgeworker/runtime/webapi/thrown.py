"""What JavaScript throws: any value, where Python raises exceptions only.

Texts recorded from pyodide: tests/conformance/cases/objects.json.
"""

from edgeworker.runtime.webapi.ffi import JsException, JsNull
from edgeworker.runtime.webapi.strings import to_string


class _ThrownValue(JsException):
    """The exception for a value that is not an error."""

    def __init__(self, value: object) -> None:
        super().__init__("Error", value if isinstance(value, str) else _describe(value))
        self.value = value


_ThrownValue.__name__ = _ThrownValue.__qualname__ = "JsException"


def as_exception(value: object) -> BaseException:
    """What Python raises for a value that JavaScript throws."""
    return value if isinstance(value, BaseException) else _ThrownValue(value)


def thrown_value(error: BaseException) -> object:
    """What JavaScript gets of an exception: the value that was thrown."""
    return error.value if isinstance(error, _ThrownValue) else error


def _describe(value: object) -> str:
    kind, tag = _kind_of(value)
    text = to_string(value)
    has_method = not (value is None or isinstance(value, JsNull))
    method = f'returns """{text}"""' if has_method else "fails"
    return (
        f"A value of type {kind} with tag [object {tag}] was thrown as an error!\n"
        f'String interpolation of the thrown value gives """{text}""".\n'
        f"The thrown value's toString method {method}."
    )


def _kind_of(value: object) -> tuple[str, str]:
    match value:
        case None:
            return "undefined", "Undefined"
        case JsNull():
            return "object", "Null"
        case bool():
            return "boolean", "Boolean"
        case int() | float():
            return "number", "Number"
        case _:
            return "object", str(getattr(getattr(value, "constructor", None), "name", "Object"))
