"""KV over REST: the endpoints below `/accounts/{account}/storage/kv/namespaces`."""

from typing import Final

from edgeworker.bindings.kv.rest import bulk, keys, namespaces, values
from edgeworker.rest.permissions import Need
from edgeworker.rest.router import Endpoint

_KV: Final = "/accounts/{account}/storage/kv/namespaces"
_NS: Final = _KV + "/{namespace}"

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint("GET", _KV, namespaces.list_namespaces, Need.KV_READ),
    Endpoint("POST", _KV, namespaces.create_namespace, Need.KV_ADMIN, "jurisdiction is ignored"),
    Endpoint("GET", _NS, namespaces.get_namespace, Need.KV_READ),
    Endpoint("PUT", _NS, namespaces.rename_namespace, Need.KV_ADMIN),
    Endpoint("DELETE", _NS, namespaces.delete_namespace, Need.KV_ADMIN),
    Endpoint("GET", _NS + "/keys", keys.list_keys, Need.KV_READ),
    Endpoint("GET", _NS + "/values/{key+}", values.get_value, Need.KV_READ),
    Endpoint("PUT", _NS + "/values/{key+}", values.put_value, Need.KV_WRITE, "raw body or multipart/form-data"),
    Endpoint("DELETE", _NS + "/values/{key+}", values.delete_value, Need.KV_WRITE),
    Endpoint("GET", _NS + "/metadata/{key+}", values.get_metadata, Need.KV_READ),
    Endpoint("PUT", _NS + "/bulk", bulk.put_bulk, Need.KV_WRITE, "all pairs or none"),
    Endpoint("DELETE", _NS + "/bulk", bulk.delete_bulk, Need.KV_WRITE, "the older form, wrangler's"),
    Endpoint("POST", _NS + "/bulk/delete", bulk.delete_bulk, Need.KV_WRITE),
    Endpoint(
        "POST", _NS + "/bulk/get", bulk.get_bulk, Need.KV_READ, "a value that is not JSON is null and named in messages"
    ),
)
