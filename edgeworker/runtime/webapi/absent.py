"""Globals of JavaScript that scripts may import and that are not emulated: importing works, using says so by name."""

from typing import Final, Never

from edgeworker.runtime.contract.unsupported import NotEmulated

NOT_EMULATED: Final = (
    "EventSource",
    "Function",
    "Intl",
    "MessageChannel",
    "Proxy",
    "Reflect",
    "Symbol",
    "WeakMap",
    "WeakRef",
    "WeakSet",
    "WebAssembly",
    "Worker",
    "XMLHttpRequest",
    "eval",
)


class NotEmulatedGlobal:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Never:
        if name.startswith("__"):
            raise AttributeError(name)  # what Python itself asks of an object is not a use
        raise NotEmulated(f"js.{self._name} is not emulated by edgeworker")

    def __call__(self, *_args: object, **_options: object) -> Never:
        raise NotEmulated(f"js.{self._name} is not emulated by edgeworker")

    def __repr__(self) -> str:
        return f"<js.{self._name}, not emulated>"
