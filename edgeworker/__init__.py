"""edgeworker: a local edge that runs fetch-handler workers."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("edgeworker")
except PackageNotFoundError:  # a source tree that was not installed
    __version__ = "0+source"

__all__ = ["__version__"]
