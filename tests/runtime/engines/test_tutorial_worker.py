"""The worker of the split-token tutorial with the closing brackets that its web page lost, in both engines.

Source: https://curity.io/resources/learn/integrate-cloudflare-gateway/
"""

from pathlib import Path

import pytest

from edgeworker.messages import URL, Headers, Request
from edgeworker.runtime.contract.javascript import EnvNamespace
from tests.runtime.engines.stage import memory_namespace, staged

pytestmark = pytest.mark.parametrize("engine", [pytest.param("workerd", marks=pytest.mark.node), "embedded"])

WORKER = """import crypto from 'crypto';

addEventListener('fetch', event => {
  event.respondWith(handleRequest(event.request))
})

/**
* Respond to the request
* @param {Request} request
*/
async function handleRequest(request) {
// Check wether the Authorization header is present and is in the form "Bearer ..."
const authorizationHeader = request.headers.get('Authorization');
if (!authorizationHeader) {
return new Response(null, { status: 401, headers: { 'WWW-Authenticate': 'bearer' }});
}
const headerParts = authorizationHeader.split(' ');
if (headerParts.length != 2 || headerParts[0] != 'Bearer') {
return new Response(null, { status: 401, headers: { 'WWW-Authenticate': 'bearer' }});
}
const token = headerParts[1];
// hash the value of the token from the request
const hashedToken = crypto.createHash('sha256').update(token).digest("base64");
// fetch the token value from the cache
const tokenValue = await TOKENS.get(hashedToken);
if (!tokenValue) {
return new Response(null, {status: 401, headers: { 'WWW-Authenticate': 'bearer, error=invalid_token'}});
}
// Glue the token together and proxy the request to the API
const authValue = 'Bearer ' + tokenValue + '.' + token;
const newRequest = new Request(request);
newRequest.headers.set('Authorization', authValue);
return fetch(newRequest);
}
"""
# sha256("signature") in base64
KEY = "Gi/CbcfqWipHSLfLKx7xk9lqssmfkwkvaeYwdbKNEng="


@pytest.mark.parametrize(
    ("sent", "status", "challenge"),
    [
        (None, 401, "bearer"),
        ("Basic dTpw", 401, "bearer"),
        ("Bearer a b", 401, "bearer"),
        ("Bearer unknown", 401, "bearer, error=invalid_token"),
        ("Bearer signature", 200, None),
    ],
)
async def test_the_split_token_is_glued(
    engine: str, tmp_path: Path, sent: str | None, status: int, challenge: str | None
) -> None:
    namespace = memory_namespace()
    await namespace.put(KEY, "head.body")
    headers = Headers() if sent is None else Headers({"Authorization": sent})

    async with staged(engine, tmp_path, WORKER, {"TOKENS": EnvNamespace(namespace)}, flags=("nodejs_compat",)) as stage:
        request = Request("GET", URL.parse("https://example.com/secured?a=b"), headers)
        response = await stage.send(request)
        asked = stage.outside.requests

    assert response.status == status
    assert response.headers.get("www-authenticate") == challenge
    assert [(str(one.url), one.headers.get("authorization")) for one in asked] == (
        [("https://example.com/secured?a=b", "Bearer head.body.signature")] if status == 200 else []
    )
