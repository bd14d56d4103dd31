"""Every endpoint there is. The router, the 404 and 405 answers and the ledger are made from this table."""

from typing import Final

from wrangler_compat.api import account, kv_bulk, kv_keys, kv_namespaces, kv_values
from wrangler_compat.api.api_shield.endpoints import API_SHIELD_ENDPOINTS
from wrangler_compat.api.permissions import Need
from wrangler_compat.api.router import Endpoint

_KV: Final = "/accounts/{account}/storage/kv/namespaces"
_NS: Final = _KV + "/{namespace}"

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint("GET", "/user/tokens/verify", account.verify_token, Need.ANY_TOKEN),
    Endpoint("GET", "/user", account.get_user, Need.ACCOUNT_READ, "one made-up user"),
    Endpoint("GET", "/accounts", account.list_accounts, Need.ACCOUNT_READ, "one account"),
    Endpoint("GET", "/accounts/{account}", account.get_account, Need.ACCOUNT_READ),
    Endpoint("GET", "/memberships", account.list_memberships, Need.ACCOUNT_READ, "one membership"),
    Endpoint("GET", "/zones", account.list_zones, Need.ACCOUNT_READ, "the configured zones; filters: name, account.id"),
    Endpoint("GET", "/zones/{zone}", account.get_zone, Need.ACCOUNT_READ),
    Endpoint("GET", _KV, kv_namespaces.list_namespaces, Need.KV_READ),
    Endpoint("POST", _KV, kv_namespaces.create_namespace, Need.KV_ADMIN, "jurisdiction is ignored"),
    Endpoint("GET", _NS, kv_namespaces.get_namespace, Need.KV_READ),
    Endpoint("PUT", _NS, kv_namespaces.rename_namespace, Need.KV_ADMIN),
    Endpoint("DELETE", _NS, kv_namespaces.delete_namespace, Need.KV_ADMIN),
    Endpoint("GET", _NS + "/keys", kv_keys.list_keys, Need.KV_READ),
    Endpoint("GET", _NS + "/values/{key+}", kv_values.get_value, Need.KV_READ),
    Endpoint("PUT", _NS + "/values/{key+}", kv_values.put_value, Need.KV_WRITE, "raw body or multipart/form-data"),
    Endpoint("DELETE", _NS + "/values/{key+}", kv_values.delete_value, Need.KV_WRITE),
    Endpoint("GET", _NS + "/metadata/{key+}", kv_values.get_metadata, Need.KV_READ),
    Endpoint("PUT", _NS + "/bulk", kv_bulk.put_bulk, Need.KV_WRITE, "all pairs or none"),
    Endpoint("DELETE", _NS + "/bulk", kv_bulk.delete_bulk, Need.KV_WRITE, "the older form, wrangler's"),
    Endpoint("POST", _NS + "/bulk/delete", kv_bulk.delete_bulk, Need.KV_WRITE),
    Endpoint("POST", _NS + "/bulk/get", kv_bulk.get_bulk, Need.KV_READ),
    *API_SHIELD_ENDPOINTS,
)
