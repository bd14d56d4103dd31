"""What a Python script sees as `env`: the worker's bindings as attributes."""

from collections.abc import Iterator, Mapping


class Env:
    """Made once per worker by its isolate; the same object in every invocation.

    The repr names the bindings and shows no value, because some are secrets.
    """

    def __init__(self, worker: str, bindings: Mapping[str, object]) -> None:
        """`worker` is the worker's name, for the text of errors."""
        # Bindings are ordinary attributes of the instance, so that reading one costs what an attribute costs.
        self.__dict__.update(bindings)
        self.__dict__["_worker"] = worker

    def __getattr__(self, name: str) -> object:
        """Reached only for what is not bound. Raises AttributeError, so that `getattr(env, "X", None)` works."""
        worker = self.__dict__["_worker"]
        bound = ", ".join(self) or "nothing"
        raise AttributeError(f'worker "{worker}" has no binding "{name}"; bound are: {bound}', name=name, obj=self)

    def __setattr__(self, name: str, value: object) -> None:
        self.__dict__[name] = value

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.__dict__ if name != "_worker")

    def object_keys(self) -> list[str]:
        return list(self)

    def __dir__(self) -> list[str]:
        return sorted(self)

    def __repr__(self) -> str:
        return f"Env({', '.join(self)})"
