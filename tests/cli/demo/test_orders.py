import json

import pytest

from edgeworker.cli.demo import wire
from edgeworker.cli.demo.orders import OrdersApi
from edgeworker.cli.demo.tokens import DemoIssuer
from edgeworker.clock import SystemClock
from edgeworker.errors import OriginError


def test_the_api_believes_only_what_the_key_verifies() -> None:
    issuer, now = DemoIssuer(), SystemClock().now()
    api = OrdersApi(issuer.public_key)
    good = issuer.issue(issued_at=now, ttl_seconds=60)

    assert api.answer(f"Bearer {good.whole}")[0] == 200
    for authorization in (
        None,
        "Basic eDp5",
        f"Bearer {good.signature}",
        f"Bearer {good.value}.{issuer.issue(issued_at=now, ttl_seconds=60).signature}",
        f"Bearer {DemoIssuer().issue(issued_at=now, ttl_seconds=60).whole}",
        f"Bearer {issuer.issue(issued_at=now - 60, ttl_seconds=59).whole}",
    ):
        assert api.answer(authorization)[0] == 401


def test_it_answers_over_http_and_notes_what_came() -> None:
    issuer = DemoIssuer()
    token = issuer.issue(issued_at=SystemClock().now(), ttl_seconds=60)
    with OrdersApi(issuer.public_key).listening() as api:
        answer = wire.call(api.url, "GET", "/orders", {"Authorization": f"Bearer {token.whole}"})

    assert (answer.status, json.loads(answer.body)["of"]) == (200, "ann")
    assert answer.headers["content-type"] == "application/json"
    assert api.seen == [f"Bearer {token.whole}"]
    with pytest.raises(OriginError, match="refused"):
        wire.call(api.url, "GET", "/orders", {})
