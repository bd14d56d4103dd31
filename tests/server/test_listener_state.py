"""How many connections one client may have."""

import pytest

from edgeworker.config import Limits
from edgeworker.server.listener_state import ListenerState
from edgeworker.server.received_request import ReceivedRequest


async def serve_none(request: ReceivedRequest) -> None:
    raise AssertionError(request)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("198.51.100.7", "198.51.100.7", True),
        ("198.51.100.7", "198.51.100.8", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::1", "::1", True),
        ("", "", True),
    ],
)
def test_h18_a_client_is_counted_whatever_address_of_its_own_it_comes_from(first: str, second: str, same: bool) -> None:
    listener = ListenerState(Limits(connections_per_address=1))

    assert listener.admit_connection(first)
    assert listener.admit_connection(second) is not same
    listener.release_connection(first)
    assert listener.admit_connection(first)
