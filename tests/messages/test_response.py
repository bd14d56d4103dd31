from edgeworker.messages import Body, Response


async def test_bytes_become_a_body() -> None:
    response = Response(200, body=b"hello")

    assert response.body is not None
    assert await response.body.read() == b"hello"


async def test_closing_gives_the_body_up() -> None:
    body = Body(b"x")

    await Response(200, body=body).close()
    await Response(204).close()

    assert body.used
