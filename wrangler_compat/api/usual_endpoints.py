"""The endpoints that each edge may be asked for; those of Cloudflare Access are beside them, see `endpoints`."""

from typing import Final

from edgeworker.bindings import KINDS
from edgeworker.rest.permissions import Need
from edgeworker.rest.router import Endpoint
from wrangler_compat.api import account
from wrangler_compat.api.api_shield.endpoints import API_SHIELD_ENDPOINTS
from wrangler_compat.api.publishing import PUBLISHING_ENDPOINTS

USUAL_ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint("GET", "/user/tokens/verify", account.verify_token, Need.ANY_TOKEN),
    Endpoint("GET", "/user", account.get_user, Need.ACCOUNT_READ, "one made-up user"),
    Endpoint("GET", "/accounts", account.list_accounts, Need.ACCOUNT_READ, "one account"),
    Endpoint("GET", "/accounts/{account}", account.get_account, Need.ACCOUNT_READ),
    Endpoint("GET", "/memberships", account.list_memberships, Need.ACCOUNT_READ, "one membership"),
    Endpoint("GET", "/zones", account.list_zones, Need.ACCOUNT_READ, "the configured zones; filters: name, account.id"),
    Endpoint("GET", "/zones/{zone}", account.get_zone, Need.ACCOUNT_READ),
    *(endpoint for kind in KINDS for endpoint in kind.endpoints()),
    *API_SHIELD_ENDPOINTS,
    *PUBLISHING_ENDPOINTS,
)
