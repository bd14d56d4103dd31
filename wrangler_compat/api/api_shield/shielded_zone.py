"""The zone that a call is about, and what is configured on it: in the file and over the API together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from edgeworker.clock import Clock
from edgeworker.config import JSON, Zone
from edgeworker.messages import Response
from edgeworker.products.api_shield.config import ShieldConfig
from edgeworker.products.api_shield.tables import shield_of
from edgeworker.products.api_shield.zone_objects import DOCUMENTS, StoredObjects, ZoneObjects, merge
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import page_info, success
from edgeworker.rest.errors import ApiError, ApiShieldCode, ZoneCode
from edgeworker.rest.paging import number_page
from edgeworker.state import Conflict

MAX_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ShieldedZone:
    """`config` is everything, what the file has first; `stored` what was made over the API."""

    zone: Zone
    config: ShieldConfig
    stored: StoredObjects
    objects: ZoneObjects


async def load_zone(call: Call) -> ShieldedZone:
    """Raises ApiError: 404 for an unknown zone, 403 for one on which API Shield is not switched on."""
    zone = next((zone for zone in call.config.zones if zone.id == call.params["zone"]), None)
    if zone is None:
        raise ApiError(404, ZoneCode.INVALID_ZONE, "Invalid zone identifier")
    configured = shield_of(zone)
    if configured is None:
        text = f"API Shield is not switched on for the zone {zone.name}; add [zones.api_shield] to it in edge.toml"
        raise ApiError(403, ApiShieldCode.NOT_ENTITLED, text)
    objects = ZoneObjects(call.state.documents(DOCUMENTS), zone.id)
    stored = await objects.load()
    return ShieldedZone(zone, merge(configured, stored), stored, objects)


def refuse_source(name: str, source: str) -> None:
    """Raises ApiError (409) for an object that is written in the file."""
    if source:
        text = f"{name} is written in {source} and is changed there; the API changes only what it made"
        raise ApiError(409, ApiShieldCode.CONFLICT, text)


def not_found(name: str, id: str) -> ApiError:
    return ApiError(404, ApiShieldCode.NOT_FOUND, f'there is no {name} "{id[:100]}"')


def invalid(text: str) -> ApiError:
    return ApiError(400, ApiShieldCode.INVALID, text)


def changed_meanwhile(conflict: Conflict) -> ApiError:
    return ApiError(409, ApiShieldCode.CONFLICT, f"{conflict}; try again")


async def read_json(call: Call) -> JSON:
    """The body. Raises ApiError: 413 beyond a megabyte, 400 for what is not JSON."""
    body = call.request.body
    if body is not None and body.length is not None and body.length > MAX_BODY_BYTES:
        raise ApiError(413, ApiShieldCode.TOO_LARGE, f"the body is larger than {MAX_BODY_BYTES} bytes")
    return await call.json(ApiShieldCode.INVALID)


def timestamp(clock: Clock) -> str:
    """Now, in RFC 3339 with microseconds."""
    now_ms = clock.now_ms()
    moment = datetime.fromtimestamp(now_ms // 1000, UTC).replace(microsecond=now_ms % 1000 * 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def query_values(call: Call, name: str) -> list[str]:
    """All values of a parameter, written "name=a&name=b", "name[]=a" or "name=a,b"."""
    pairs = parse_qsl(call.request.url.query.removeprefix("?"), keep_blank_values=True)
    return [part for key, value in pairs if key in (name, f"{name}[]") for part in value.split(",") if part]


def listing(call: Call, items: Sequence[JSON]) -> Response:
    page = number_page(call.query, default_per_page=20, malformed=(ApiShieldCode.INVALID, ApiShieldCode.INVALID))
    shown: list[JSON] = list(items[page.start : page.start + page.per_page])
    info = page_info(page=page.page, per_page=page.per_page, count=len(shown), total_count=len(items))
    return success(shown, result_info=info)
