"""Token configurations for the API, and what it answers."""

from edgeworker.config import JSON
from tests.products.api_shield.minting import signing_key
from tests.wrangler_compat.api.api_shield.conftest import Shield
from tests.wrangler_compat.api.client import Answer

PATH = "/token_validation/config"
KEY = signing_key("RS256").jwk()
SOURCE = 'http.request.headers["authorization"][0]'


def configuration_body(**changes: JSON) -> dict[str, JSON]:
    return {
        "title": "Production JWT configuration",
        "description": "in the authorization header",
        "token_type": "jwt",
        "token_sources": [SOURCE],
        "credentials": {"keys": [KEY]},
        **changes,
    }


def result_of(answer: Answer) -> dict[str, JSON]:
    assert isinstance(answer.result, dict)
    return answer.result


async def make_configuration(shield: Shield, **changes: JSON) -> str:
    return str(result_of(await shield.call("POST", PATH, configuration_body(**changes)))["id"])
