"""`env.X` of an Analytics Engine dataset in a JavaScript worker."""

from collections.abc import Mapping

from edgeworker.bindings.analytics.service import AnalyticsDataset
from edgeworker.bindings.javascript_calls import method
from edgeworker.runtime.contract.javascript import EnvEntry, EnvMethods


def env_entry(service: AnalyticsDataset) -> EnvEntry:
    async def write(point: object) -> None:
        service.write_data_point(point if isinstance(point, Mapping) else {})

    return EnvMethods({"writeDataPoint": method(write, 1)}, without_answer=frozenset({"writeDataPoint"}))
