"""The verifier of Cloudflare's tutorial, in Flask and PyJWT: it works unchanged behind edgeworker.

TEAM_DOMAIN=http://acme.localhost:8787 POLICY_AUD=... flask --app flask_app run --port 3000
"""

import json
import os
from functools import wraps

import jwt
import requests
from flask import Flask, request

app = Flask(__name__)

POLICY_AUD = os.getenv("POLICY_AUD")
TEAM_DOMAIN = os.getenv("TEAM_DOMAIN")
CERTS_URL = f"{TEAM_DOMAIN}/cdn-cgi/access/certs"


def _get_public_keys():
    """The keys that sign tokens, usable by PyJWT."""
    r = requests.get(CERTS_URL, timeout=10)
    public_keys = []
    jwk_set = r.json()
    for key_dict in jwk_set["keys"]:
        public_key = jwt.algorithms.RSAAlgorithm.from_jwk(json.dumps(key_dict))
        public_keys.append(public_key)
    return public_keys


def verify_token(f):
    """Lets a request through whose cookie holds a valid token."""

    @wraps(f)
    def wrapper():
        token = ""
        if "CF_Authorization" in request.cookies:
            token = request.cookies["CF_Authorization"]
        else:
            return "missing required cf authorization token", 403
        keys = _get_public_keys()
        # Loop through the keys since we can't pass the key set to the decoder
        valid_token = False
        for key in keys:
            try:
                # decode returns the claims that has the email when needed
                jwt.decode(token, key=key, audience=POLICY_AUD, algorithms=["RS256"])
                valid_token = True
                break
            except jwt.PyJWTError:
                pass
        if not valid_token:
            return "invalid token", 403
        return f()

    return wrapper


@app.route("/")
@verify_token
def hello_world():
    return "Hello, World!"
