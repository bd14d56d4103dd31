"""`env.X` of an Analytics Engine dataset: data points are logged for the developer and go nowhere."""

import logging
from collections.abc import Mapping

from edgeworker.runtime.webapi.base import options

_log = logging.getLogger(__name__)


class AnalyticsView:
    def __init__(self, *, name: str, dataset: str) -> None:
        """`name` is the binding's."""
        self._name = name
        self._dataset = dataset

    def writeDataPoint(self, event: object = None, /, **keywords: object) -> None:
        """Of the point only the numbers of its fields are logged: blobs and indexes may be about people."""
        given: Mapping[str, object] = options(event, keywords)
        counts = ", ".join(f"{len(value)} {name}" for name, value in given.items() if isinstance(value, list))
        _log.debug("env.%s: a data point for %s: %s", self._name, self._dataset, counts or "empty")

    def __repr__(self) -> str:
        return f"<analytics dataset {self._name}>"
