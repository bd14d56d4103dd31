"""Datasets of Analytics Engine."""

from typing import TYPE_CHECKING, Final

from edgeworker.bindings.analytics import wrangler
from edgeworker.bindings.analytics.binding import AnalyticsBinding
from edgeworker.bindings.kind import Resources, make_kind

if TYPE_CHECKING:
    from edgeworker.bindings.analytics.service import AnalyticsDataset
    from edgeworker.runtime.contract.javascript import EnvEntry


def _service(binding: AnalyticsBinding, _resources: Resources) -> "AnalyticsDataset":
    from edgeworker.bindings.analytics.service import AnalyticsDataset

    return AnalyticsDataset(binding)


def _python_view(binding: AnalyticsBinding, dataset: "AnalyticsDataset") -> object:
    from edgeworker.bindings.analytics.python_view import AnalyticsView

    return AnalyticsView(dataset, name=binding.name)


def _javascript_view(_binding: AnalyticsBinding, service: "AnalyticsDataset") -> "EnvEntry":
    from edgeworker.bindings.analytics.javascript_view import env_entry

    return env_entry(service)


KIND: Final = make_kind(
    AnalyticsBinding,
    fields=(wrangler.FIELD,),
    read=wrangler.read_bindings,
    describe=lambda binding: ("Analytics Engine Dataset", f"{binding.dataset} (logged only)"),
    annotate=lambda _binding: "AnalyticsEngineDataset",
    service=_service,
    python=_python_view,
    javascript=_javascript_view,
)
