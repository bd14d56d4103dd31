"""JavaScript ignores arguments that a function does not take; so do the functions that stand for its own."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from types import BuiltinFunctionType, FunctionType
from typing import TypeVar

_Class = TypeVar("_Class", bound=type)


def ignore_surplus(function: Callable[..., object], *, bound: bool = False) -> Callable[..., object]:
    """The function without positional arguments beyond its own; as it is where it takes any number. `bound`: it is a
    method, whose first argument is its object."""
    most = _count_positional(function)
    if most is None or (bound and most == 0):
        return function

    @wraps(function)
    def call(*args: object, **options: object) -> object:
        return function(*args[:most], **options) if len(args) > most else function(*args, **options)

    return call


def _count_positional(function: Callable[..., object]) -> int | None:
    """How many positional arguments it takes; None: any number, or it does not say.

    Not by `inspect.signature`: each start asks this of four hundred functions.
    """
    innermost = inspect.unwrap(function)
    if isinstance(innermost, FunctionType):
        code = innermost.__code__
        return None if code.co_flags & inspect.CO_VARARGS else code.co_argcount
    written: str | None = getattr(innermost, "__text_signature__", None)  # of a function of C: "($module, x, /)"
    if written is None or "*" in written:
        return None
    names = [name for name in written.strip("()").split(",") if name.strip() not in ("", "/", "$module")]
    return len(names)


def javascript_class(kind: _Class) -> _Class:
    """A class of JavaScript: its public methods and its constructor ignore surplus arguments."""
    for name, member in list(vars(kind).items()):
        if name.startswith("_") and name not in ("__init__", "__new__"):
            continue
        match member:
            case FunctionType():
                setattr(kind, name, ignore_surplus(member, bound=True))
            case staticmethod():
                setattr(kind, name, staticmethod(ignore_surplus(member.__func__)))
            case classmethod():
                setattr(kind, name, classmethod(ignore_surplus(member.__func__, bound=True)))
            case _:
                continue
    return kind


def ignore_surplus_in(names: Mapping[str, object]) -> dict[str, object]:
    """Globals by name, with functions that ignore surplus arguments."""
    return {
        name: ignore_surplus(value) if isinstance(value, FunctionType | BuiltinFunctionType) else value
        for name, value in names.items()
    }
