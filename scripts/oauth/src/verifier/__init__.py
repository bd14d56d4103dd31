"""Verifies JWT access tokens (RFC 9068) in a worker: copy this folder beside your script and it deploys with it.

    from verifier import access_token, remote
    from verifier.access_token import TokenRequirements, InvalidToken
    from verifier.keys import KeysUnavailable
    from workers import fetch

    EXPECTED = TokenRequirements(issuer="https://auth.example.com", audience=frozenset({"https://api.example.com"}))
    KEYS = remote.remote_keys("https://auth.example.com/jwks", fetch)      # one for the isolate: it remembers

    try:
        token = await access_token.verify(text, KEYS, EXPECTED, now=time.time())
    except InvalidToken as error: ...       # 401; str(error) may be told to the client
    except KeysUnavailable as error: ...    # 503; error.retry_after_seconds
    if token.missing({"orders.read"}): ...  # 403

`access_token` is the whole check; `claims` and `keys` are its parts (`keys` alone needs PyJWT); `remote` fetches and
caches the issuer's keys; `responses` makes error responses (RFC 6750, RFC 9457, RFC 9728) and CORS fields; `variables`
reads settings. No module imports `workers`: `fetch` is an argument, so that of a service binding (`env.ISSUER.fetch`)
works too.

The source is scripts/shared/verifier; `poe copies` writes the copies in the folders that deploy with it.
"""
