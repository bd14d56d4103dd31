"""Every endpoint there is. The router, the 404 and 405 answers and the ledger are made from this table."""

from typing import Final

from edgeworker.rest.router import Endpoint
from wrangler_compat.api.access.endpoints import ACCESS_ENDPOINTS
from wrangler_compat.api.usual_endpoints import USUAL_ENDPOINTS

ENDPOINTS: Final[tuple[Endpoint, ...]] = (*USUAL_ENDPOINTS, *ACCESS_ENDPOINTS)
