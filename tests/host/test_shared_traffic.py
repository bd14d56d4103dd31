"""Whether an edge of several processes serves requests now."""

import os

import pytest

from edgeworker.host.shared_traffic import SharedTraffic
from tests.kv.clocks import FakeClock


def test_an_edge_without_requests_is_not_busy() -> None:
    clock = FakeClock()

    assert not SharedTraffic(clock, processes=2).is_busy()


@pytest.mark.parametrize(("seconds", "is_busy"), [(0.0, True), (0.125, True), (0.25, False), (60.0, False)])
def test_an_edge_is_busy_for_a_moment_after_a_request_of_any_process(seconds: float, is_busy: bool) -> None:
    clock = FakeClock()
    traffic = SharedTraffic(clock, processes=2)
    traffic.of_process(0).record_answer()
    clock.seconds += 60.0
    traffic.of_process(1).record_answer()

    clock.seconds += seconds

    assert traffic.is_busy() is is_busy


@pytest.mark.skipif(not hasattr(os, "fork"), reason="several processes need fork")
def test_a_process_that_was_forked_before_the_request_sees_it() -> None:
    traffic = SharedTraffic(FakeClock(), processes=1)
    read_end, write_end = os.pipe()
    process = os.fork()
    if process == 0:
        os.read(read_end, 1)
        os._exit(traffic.is_busy())

    traffic.of_process(0).record_answer()
    os.write(write_end, b"r")

    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 1
    os.close(read_end)
    os.close(write_end)
