"""Each refusal of the management plane has a ray id, and is recorded with its reason and without its path."""

import pytest
from aiohttp import web

from edgeworker.config import Limits, Socket
from edgeworker.host.management import application, listen_management
from edgeworker.messages import Headers, RefusalReason, Request, Response
from edgeworker.server.access_log import AccessLogRecord
from tests.host.management.test_connection import ask

REASON = RefusalReason("the REST API: GET /values/{key}", ("code 10009: key not found",))


class Refusing:
    """Answers 404 with a reason, fails at /fail, and reads the body of the rest."""

    async def fetch(self, request: Request, /) -> Response:
        if request.url.path == "/fail":
            raise RuntimeError("a bug")
        if request.url.path == "/good":
            return Response(200, Headers(), b"good")
        if request.body is not None:
            await request.body.read()
        response = Response(404, Headers(), b"no\n")
        response.refusal_reason = REASON
        return response


def _application() -> web.Application:
    made = application.management_application(Refusing(), Limits(body_bytes=10))
    made.router.add_get("/only-get", application._health)
    return made


@pytest.mark.parametrize(
    ("head", "status", "reason"),
    [
        ("GET /secret-key HTTP/1.1\r\nHost: a\r\n", 404, REASON),
        (
            "GET /fail HTTP/1.1\r\nHost: a\r\n",
            500,
            RefusalReason(
                "what this socket of the management plane has",
                ("the answer could not be made: a fault of edgeworker; the log has its traceback",),
            ),
        ),
        (
            "PUT /secret-key HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n",
            413,
            RefusalReason("what this listener accepts as a request", ("The body is larger than 10 bytes.",)),
        ),
        (
            "GET /secret-key HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
            400,
            RefusalReason("what this listener accepts as a request", ("Host was sent twice.",)),
        ),
    ],
    ids=["of the API", "a bug", "too much", "unread"],
)
async def test_a_refusal_is_recorded_under_the_ray_of_its_answer(head: str, status: int, reason: RefusalReason) -> None:
    recorded: list[AccessLogRecord] = []
    listener = await listen_management(
        _application, Socket(port=0), limits=Limits(body_bytes=10), refusal_recorder=recorded.append
    )
    answer = await ask(listener.port, f"{head}Connection: close\r\n\r\n".encode() + b"x" * 11)
    await listener.close(0)

    (record,) = recorded
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert (record.status, record.refusal, record.path) == (status, reason, "-")
    assert f"CF-Ray: {record.ray}".encode() in answer
    assert "secret" not in repr(record)


async def test_a_reason_is_not_told_of_the_next_request_on_the_connection() -> None:
    recorded: list[AccessLogRecord] = []
    listener = await listen_management(_application, Socket(port=0), limits=Limits(), refusal_recorder=recorded.append)
    head = "GET /{} HTTP/1.1\r\nHost: a\r\n{}\r\n"
    heads = head.format("x", "") + head.format("good", "") + head.format("fail", "Connection: close\r\n")
    await ask(listener.port, heads.encode())
    await listener.close(0)

    assert [record.status for record in recorded] == [404, 500]
    assert recorded[0].refusal == REASON
    assert recorded[1].refusal != REASON
    assert recorded[0].ray != recorded[1].ray


async def test_pages_that_a_socket_does_not_have_are_recorded_too() -> None:
    recorded: list[AccessLogRecord] = []

    def make() -> web.Application:
        made = application.new_application(Limits())
        made.router.add_get("/metrics", application._health)
        return made

    listener = await listen_management(make, Socket(port=0), limits=Limits(), refusal_recorder=recorded.append)
    for target in ("GET /nothing", "POST /metrics"):
        await ask(listener.port, f"{target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    await listener.close(0)

    evidence = [(record.status, record.refusal.evidence) for record in recorded if record.refusal is not None]
    assert evidence == [
        (404, ("there is nothing at this path",)),
        (405, ("what is at this path takes another method",)),
    ]
