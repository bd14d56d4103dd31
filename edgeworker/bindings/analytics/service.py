"""A dataset of Analytics Engine: data points are logged for the developer and go nowhere."""

import logging
from collections.abc import Mapping

from edgeworker.bindings.analytics.binding import AnalyticsBinding

_log = logging.getLogger(__name__)


class AnalyticsDataset:
    def __init__(self, binding: AnalyticsBinding) -> None:
        self._binding = binding

    def write_data_point(self, point: Mapping[str, object]) -> None:
        """Of the point only the numbers of its fields are logged: blobs and indexes may be about people."""
        counts = ", ".join(f"{len(value)} {name}" for name, value in point.items() if isinstance(value, list))
        _log.debug("env.%s: a data point for %s: %s", self._binding.name, self._binding.dataset, counts or "empty")
