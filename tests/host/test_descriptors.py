"""File descriptors that are used up."""

import asyncio
import errno

import pytest

from edgeworker.host.descriptors import DescriptorWatch, connection_limit, raise_limit
from edgeworker.testing.clock import MovableClock

ACCEPT = "socket.accept() out of system resource"


async def test_one_line_tells_that_they_are_used_up_and_other_errors_are_told_as_before(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = asyncio.get_running_loop()
    watch = DescriptorWatch(MovableClock(), 1024)

    for number in (errno.EMFILE, errno.EMFILE, errno.ENFILE):
        watch.handle(loop, {"message": ACCEPT, "exception": OSError(number, "x")})
    watch.handle(loop, {"message": "Task exception was never retrieved", "exception": OSError(5, "other")})
    watch.handle(loop, {"message": ACCEPT, "exception": ValueError("another")})

    told = [record.getMessage() for record in caplog.records if "no more file descriptors" in record.getMessage()]
    assert len(told) == 1
    assert told[0].startswith(
        "no more file descriptors (1024 may be open): new connections have to wait or are closed."
    )
    assert "Task exception was never retrieved" in caplog.text
    assert caplog.text.count(ACCEPT) == 1


async def test_it_is_told_when_some_are_free_again(caplog: pytest.LogCaptureFixture) -> None:
    clock = MovableClock()
    watch = DescriptorWatch(clock, 1024)
    watch.look()
    assert caplog.text == ""
    watch.handle(asyncio.get_running_loop(), {"message": ACCEPT, "exception": OSError(errno.EMFILE, "x")})
    clock.advance(5)

    watch.look()
    watch.look()

    assert caplog.text.count("file descriptors are free again, after 5 s") == 1


@pytest.mark.parametrize(("descriptors", "limit"), [(1024, 480), (65_536, 32_736), (20, 16)])
def test_a_connection_of_a_client_may_need_another_one_to_an_origin(descriptors: int, limit: int) -> None:
    assert connection_limit(descriptors) == limit


def test_the_limit_of_the_process_is_raised_as_far_as_it_may_be() -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, soft), hard))

        raised = raise_limit()

        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == raised
        assert raised >= min(soft, 1_048_576)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
