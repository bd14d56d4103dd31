"""`demo --oauth --keep`: everything goes on running, and a person logs in with a real browser."""

import asyncio
import json
import threading
from urllib.parse import parse_qs, urlsplit

from edgeworker.cli.demo.oauth.application import Answer, page
from edgeworker.cli.demo.oauth.client import Attempt, ClientRefuses, OAuthClient, Tokens
from edgeworker.cli.demo.oauth.stage import EMAIL, PASSWORD, SCOPE, Stage
from edgeworker.cli.demo.serving import until_stopped
from edgeworker.cli.output import Output

_MAX_ATTEMPTS = 100


class LoginPages:
    """Answers the application's pages: "/" sends the browser to log in, "/callback" is where it comes back."""

    def __init__(self, stage: Stage, client: OAuthClient) -> None:
        self._stage = stage
        self._client = client
        self._attempts: dict[str, Attempt] = {}
        self._lock = threading.Lock()  # each request has a thread of its own

    def answer(self, target: str) -> Answer:
        parts = urlsplit(target)
        if parts.path == "/":
            return 302, {"Location": self._begin().url}, ""
        if parts.path != "/callback":
            return 404, {}, page("Not found")
        state = parse_qs(parts.query).get("state", [""])[0]
        with self._lock:
            attempt = self._attempts.pop(state, None)
        if attempt is None:
            return 400, {}, page("This login was not begun here", ("Begin at the application's first page.", ""))
        try:
            with self._lock:
                code = self._client.code_of(attempt, f"{self._stage.application.url}{target}")
                tokens = self._client.exchange(attempt, code)
        except ClientRefuses as error:
            return 200, {}, page("No tokens", ("The server answered:", str(error)))
        return 200, {}, page("You are logged in", *self._describe_tokens(tokens))

    def _begin(self) -> Attempt:
        attempt = self._client.begin(SCOPE, prompt="consent")  # shown although Ann agreed before
        with self._lock:
            while len(self._attempts) >= _MAX_ATTEMPTS:
                self._attempts.pop(next(iter(self._attempts)))
            self._attempts[attempt.state] = attempt
        return attempt

    def _describe_tokens(self, tokens: Tokens) -> list[tuple[str, str]]:
        api = self._stage.api
        basic = f"{self._client.client_id}:{self._stage.registered.secret}"
        revoke = f"curl -i -u '{basic}' -d token={tokens.access_token} {self._client.endpoint('revocation_endpoint')}"
        return [
            ("The ID token says:", json.dumps(dict(tokens.claims), indent=2)),
            ("The access token, a signature and no more:", tokens.access_token),
            ("Call the API with it:", f"curl -i {api}/claims -H 'Authorization: Bearer {tokens.access_token}'"),
            ("Revoke it, and call again:", revoke),
        ]


async def keep_running(out: Output, stage: Stage) -> None:
    """Prints what to try, and waits for Ctrl-C."""
    client = stage.client()
    await asyncio.to_thread(client.discover)
    stage.application.on_get = LoginPages(stage, client).answer
    out.line()
    out.heading("It keeps running. Log in with your browser:")
    out.line()
    out.line(f"  {out.style(stage.application.url + '/', 'bold cyan')}")
    out.line(f"  e-mail    {EMAIL}")
    out.line(f"  password  {PASSWORD}")
    out.line()
    out.note("# what the server says of itself")
    out.line(f"curl -s {stage.issuer}/.well-known/openid-configuration")
    out.note("# the same project, to keep")
    out.line("edgeworker init my-login --template oauth")
    out.line()
    await until_stopped(out, stage.stop)
