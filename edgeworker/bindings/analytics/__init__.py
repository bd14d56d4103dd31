"""Datasets of Analytics Engine."""

from typing import TYPE_CHECKING, Final

from edgeworker.bindings.analytics import wrangler
from edgeworker.bindings.analytics.binding import AnalyticsBinding
from edgeworker.bindings.kind import Resources, make_kind

if TYPE_CHECKING:
    from edgeworker.bindings.analytics.service import AnalyticsDataset


def _service(binding: AnalyticsBinding, _resources: Resources) -> "AnalyticsDataset":
    from edgeworker.bindings.analytics.service import AnalyticsDataset

    return AnalyticsDataset(binding)


def _python_view(binding: AnalyticsBinding, dataset: "AnalyticsDataset") -> object:
    from edgeworker.bindings.analytics.python_view import AnalyticsView

    return AnalyticsView(dataset, name=binding.name)


KIND: Final = make_kind(
    AnalyticsBinding,
    fields=(wrangler.FIELD,),
    read=wrangler.read_bindings,
    describe=lambda binding: ("Analytics Engine Dataset", f"{binding.dataset} (logged only)"),
    service=_service,
    python=_python_view,
)
