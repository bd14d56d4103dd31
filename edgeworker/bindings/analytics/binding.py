"""A binding to a dataset of Analytics Engine. Pure."""

from dataclasses import dataclass

from edgeworker.config import Binding


@dataclass(frozen=True, slots=True)
class AnalyticsBinding(Binding):
    """`env.<name>.writeDataPoint(...)` is logged and goes nowhere."""

    dataset: str
