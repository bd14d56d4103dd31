"""edgeworker: a local edge that runs fetch-handler workers."""

__version__: str

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    """`__version__` as the installed package says it, looked up when it is asked for: that costs 50 ms of a start."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("edgeworker")
    except PackageNotFoundError:  # a source tree that was not installed
        found = "0+source"
    globals()[name] = found
    return found
