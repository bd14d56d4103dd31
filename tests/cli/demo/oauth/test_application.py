from edgeworker.cli.demo import wire
from edgeworker.cli.demo.oauth.application import ClientApplication, page


def test_the_callback_answers_and_what_is_told_there_is_escaped() -> None:
    with ClientApplication().listening() as application:
        assert wire.call(application.url, "GET", "/callback?code=1", {}).status == 200

        application.on_get = lambda target: (404, {"X-Name": "v"}, page("<b>", ("a & b", target)))
        answer = wire.call(application.url, "GET", "/x?<script>", {})

    assert (answer.status, answer.headers["x-name"]) == (404, "v")
    assert answer.headers["cache-control"] == "no-store"
    assert b"<script>" not in answer.body
    assert b"a &amp; b" in answer.body
