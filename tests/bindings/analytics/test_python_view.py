import logging

import pytest

from edgeworker.bindings import AnalyticsBinding
from tests.runtime.stage import Stage


async def test_a_data_point_is_logged_without_what_it_says(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "edgeworker.bindings.analytics.service")
    text = await stage.run(
        """
        none = self.env.EVENTS.writeDataPoint({"blobs": ["alice", "bob"], "doubles": [1.5], "indexes": ["i"]})
        self.env.EVENTS.writeDataPoint()
        return Response(str(none))
        """,
        AnalyticsBinding("EVENTS", "clicks"),
    )

    assert text == "None"
    assert caplog.messages == [
        "env.EVENTS: a data point for clicks: 2 blobs, 1 doubles, 1 indexes",
        "env.EVENTS: a data point for clicks: empty",
    ]
