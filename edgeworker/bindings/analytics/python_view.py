"""`env.X` of an Analytics Engine dataset, for Python scripts."""

from edgeworker.bindings.analytics.service import AnalyticsDataset
from edgeworker.runtime.webapi.base import options


class AnalyticsView:
    def __init__(self, dataset: AnalyticsDataset, *, name: str) -> None:
        """`name` is the binding's."""
        self._dataset = dataset
        self._name = name

    def writeDataPoint(self, event: object = None, /, **keywords: object) -> None:
        self._dataset.write_data_point(options(event, keywords))

    def __repr__(self) -> str:
        return f"<analytics dataset {self._name}>"
