"""What refusals of the gateway leave behind. (test_gateway.py also runs where edgeworker is only installed.)"""

import pytest

from edgeworker.testing import Edge
from tests.cycles import no_error_keeps_itself


@pytest.mark.parametrize("credentials", [None, "unknown", "not.a.jwt"])
def test_a_refused_request_leaves_no_cycle(edge: Edge, credentials: str | None) -> None:
    """A flood of them would have Python look for garbage again and again, and all requests wait meanwhile."""
    headers = {} if credentials is None else {"Authorization": f"Bearer {credentials}"}
    with no_error_keeps_itself():
        assert edge.get("https://api.example.com/orders", headers=headers).status == 401
