"""How often a client may begin something, over all processes."""

from edgeworker.products.access.client_limit import ClientLimit
from edgeworker.shared_counts import SharedCounts


def test_a_client_has_one_limit_in_all_processes_and_cannot_change_its_address() -> None:
    shared = SharedCounts(processes=2)
    one, two = (ClientLimit("codes", 3, 60, shared.of_process(slot)) for slot in range(2))
    other = ClientLimit("logins", 3, 60, shared)

    answers = [limit.allows(f"2001:db8::{number}", 0) for number, limit in enumerate((one, two, one, two))]

    assert answers == [True, True, True, False]
    assert one.allows("2001:db8:0:1::1", 0)
    assert other.allows("2001:db8::1", 0)
    assert two.allows("2001:db8::1", 60)
