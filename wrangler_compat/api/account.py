"""Who calls and what there is: user, token, accounts, memberships and zones.

`wrangler whoami` and the SDKs ask these before they do anything. An edge has one account and one user.
"""

from typing import Final

from edgeworker.config import JSON, Config, Zone
from edgeworker.messages import Response
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import page_info, success
from edgeworker.rest.errors import ApiError, GeneralCode, ZoneCode
from edgeworker.rest.paging import number_page
from edgeworker.schema.ids import made_up

# What an edge without a configured account shows to clients that ask for theirs.
MADE_UP_ACCOUNT_ID: Final = made_up("account")

_ACCOUNT_NAME: Final = "edgeworker"
_USER_EMAIL: Final = "edgeworker@localhost"


async def verify_token(call: Call) -> Response:
    return success({"id": call.principal.id, "status": "active"})


async def get_user(call: Call) -> Response:
    return success({"id": made_up("user"), "email": _USER_EMAIL, "suspended": False})


async def list_accounts(call: Call) -> Response:
    return _listing(call, [_account(call.config)])


async def get_account(call: Call) -> Response:
    return success(_account(call.config))


async def list_memberships(call: Call) -> Response:
    membership: dict[str, JSON] = {
        "id": made_up("membership"),
        "account": _account(call.config),
        "status": "accepted",
        "roles": ["Super Administrator - All Privileges"],
    }
    return _listing(call, [membership])


async def list_zones(call: Call) -> Response:
    """`name` and `account.id` filter; names are compared without case, as host names are."""
    wanted = call.query.get("name", "").lower()
    account = call.query.get("account.id")
    zones: list[JSON] = [
        _zone(zone, call.config)
        for zone in call.config.zones
        if (not wanted or zone.name == wanted) and (not account or account == account_id(call.config))
    ]
    return _listing(call, zones)


async def get_zone(call: Call) -> Response:
    for zone in call.config.zones:
        if zone.id == call.params["zone"]:
            return success(_zone(zone, call.config))
    raise ApiError(404, ZoneCode.INVALID_ZONE, "Invalid zone identifier")


def account_id(config: Config) -> str:
    """The configured id, or the one that stands for it."""
    return config.account_id or MADE_UP_ACCOUNT_ID


def takes_account(config: Config, account: str) -> bool:
    """Where no account is configured, every id is taken: a client needs one, and whatever it has will do."""
    return account == account_id(config) or config.account_is_made_up or not config.account_id


def _listing(call: Call, items: list[JSON]) -> Response:
    page = number_page(call.query, default_per_page=20, malformed=(GeneralCode.INVALID_REQUEST,) * 2)
    shown = items[page.start : page.start + page.per_page]
    return success(
        shown,
        result_info=page_info(page=page.page, per_page=page.per_page, count=len(shown), total_count=len(items)),
    )


def _account(config: Config) -> dict[str, JSON]:
    return {"id": account_id(config), "name": _ACCOUNT_NAME, "type": "standard"}


def _zone(zone: Zone, config: Config) -> dict[str, JSON]:
    return {
        "id": zone.id,
        "name": zone.name,
        "status": "active",
        "paused": False,
        "type": "full",
        "account": {"id": account_id(config), "name": _ACCOUNT_NAME},
    }
