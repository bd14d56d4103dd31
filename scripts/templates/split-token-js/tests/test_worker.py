"""`edge`, `origin` and `clock` are fixtures of edgeworker's pytest plugin: this project's gateway, the API behind it,
and time that stands still. `edge.issuer` makes tokens and publishes them as an authorization server does."""

URL = "/orders"


def test_the_api_gets_the_whole_token(edge, origin):
    origin.on("/orders", json=[1, 2])
    token = edge.issuer.token(split=True, ttl_seconds=300)

    answer = edge.get(URL, headers={"authorization": f"Bearer {token}"})

    assert (answer.status, answer.json()) == (200, [1, 2])
    assert origin.requests[-1].headers.get("authorization") == f"Bearer {token.jwt}"


def test_without_a_token_nothing_reaches_the_api(edge, origin):
    assert edge.get(URL).status == 401
    assert len(origin.requests) == 0


def test_a_token_that_expired_is_refused(edge, clock):
    token = edge.issuer.token(split=True, ttl_seconds=300)
    clock.advance(400)

    assert edge.get(URL, headers={"authorization": f"Bearer {token}"}).status == 401
