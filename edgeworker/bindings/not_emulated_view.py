"""`env.X` of a binding that is known and not emulated for Python scripts, of several kinds."""

from typing import Never

from edgeworker.runtime.contract.unsupported import NotEmulated


class UnsupportedView:
    """Says by name what is missing, at the first use."""

    def __init__(self, name: str, kind: str) -> None:
        self._name = name
        self._kind = kind

    def __getattr__(self, name: str) -> Never:
        if name.startswith("__"):
            raise AttributeError(name)  # what Python itself asks of an object is not a use
        self._refuse(f"env.{self._name}.{name}")

    def __call__(self, *_args: object, **_options: object) -> Never:
        self._refuse(f"env.{self._name}()")

    def _refuse(self, use: str) -> Never:
        raise NotEmulated(f"{use}: {self._kind} is not emulated by edgeworker; wrangler dev runs this part")

    def __repr__(self) -> str:
        return f"<{self._kind} {self._name}, not emulated>"
