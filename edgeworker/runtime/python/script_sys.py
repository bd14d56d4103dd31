"""`sys` of a script: its streams are the script's own, so that setting one changes what it prints and nothing else.

All else is the process's `sys`. `print` of the script follows its `sys.stdout`; a library's print does not.
"""

import builtins
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Final, TextIO

_STREAMS: Final = frozenset({"stderr", "stdin", "stdout"})


class ScriptSys(ModuleType):
    """Streams that the script has set are attributes of its own."""

    def __init__(self) -> None:
        super().__init__("sys", sys.__doc__)

    def __getattr__(self, name: str) -> object:
        found: object = getattr(sys, name)
        return found

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _STREAMS:
            setattr(sys, name, value)
        elif value is getattr(sys, name):
            self.__dict__.pop(name, None)  # it is put back
        else:
            self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        if name in _STREAMS:
            self.__dict__.pop(name, None)
        else:
            delattr(sys, name)

    def __dir__(self) -> list[str]:
        return dir(sys)


def make_print(view: ScriptSys) -> Callable[..., None]:
    """The `print` of a script whose `sys` is `view`."""

    def print(
        *values: object, sep: str | None = " ", end: str | None = "\n", file: TextIO | None = None, flush: bool = False
    ) -> None:
        if file is None and "stdout" in view.__dict__:
            file = view.__dict__["stdout"]
            if file is None:  # as Python has it: nowhere to print to
                return
        builtins.print(*values, sep=sep, end=end, file=file, flush=flush)

    return print
