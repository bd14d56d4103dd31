"""Makes, lists and revokes named tokens for the REST API.

A change holds at once, also in an edge that is running on the same data directory. The token itself is shown once.

permissions:
  everything                the whole API
  account:read              who am I, accounts, zones
  kv:read  kv:write         keys and values of all namespaces; writing does not include reading
  kv:read:ID  kv:write:ID   the same in the namespace with this id only
  kv:admin                  making, renaming and deleting namespaces
  api_shield:read           API Shield's operations, token configurations and rules
  api_shield:edit           changing them; editing does not include reading
  access:read               Cloudflare Access: applications, policies, tokens, keys, users
  access:edit               changing them, rotating keys, revoking; editing does not include reading
  workers:read              what was published into the edge
  workers:edit              publishing and rolling back: its holder runs code with the rights of the edge

examples:
  edgeworker token create publisher --allow kv:write:0f2ac74b498b48028cb68387c421e279
  export CLOUDFLARE_API_TOKEN=$(edgeworker token create ci --allow kv:read --allow account:read --expires 30d)
  edgeworker token list
  edgeworker token revoke publisher
"""

import argparse
import asyncio
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgeworker.errors import ConfigError

if TYPE_CHECKING:
    from edgeworker.cli.output import Output
    from edgeworker.state import ApiTokens

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="token_command", metavar="ACTION", required=True)
    create = commands.add_parser("create", help="make a token and print it, once")
    create.add_argument("name", metavar="NAME", help="whose token it is")
    create.add_argument(
        "--allow",
        action="append",
        required=True,
        metavar="PERMISSION",
        help="what it may do; may be repeated",
    )
    create.add_argument(
        "--expires", metavar="WHEN", help="after a time (90m, 12h, 30d) or at a moment (2027-01-31T12:00Z)"
    )
    listing = commands.add_parser("list", help="the tokens there are, without their secrets")
    revoke = commands.add_parser("revoke", help="make a token invalid, at once")
    revoke.add_argument("name", metavar="NAME|ID")
    for command in (create, listing, revoke):
        command.add_argument(
            "--persist-to", type=Path, default=Path(".edgeworker"), metavar="DIR", help="data directory (%(default)s)"
        )


def run(options: argparse.Namespace) -> int:
    asyncio.run(_run(options))
    return 0


def expiry(text: str, *, now: int) -> int:
    """Epoch seconds of a duration from `now` ("30d") or of a moment in ISO 8601, UTC where it has no zone.

    Raises ConfigError.
    """
    duration = re.fullmatch(r"([0-9]{1,6})([smhdw])", text)
    if duration is not None:
        return now + int(duration[1]) * _SECONDS[duration[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f'--expires "{text}" is neither a time like 90m, 12h or 30d nor a date like 2027-01-31'
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


async def _run(options: argparse.Namespace) -> None:
    from edgeworker.cli.output import Output
    from edgeworker.clock import SystemClock
    from edgeworker.host.datadir import DataDir
    from edgeworker.state import SQLiteState

    clock = SystemClock()
    now, is_new = clock.now(), options.token_command == "create"
    async with SQLiteState(DataDir.open(options.persist_to).path if is_new else options.persist_to, clock) as state:
        match options.token_command:
            case "create":
                await _create(state.api_tokens, options, now)
            case "list":
                await _list(Output.for_stream(), state.api_tokens, now)
            case _:
                token = await state.api_tokens.revoke(options.name)
                Output.for_stream().ok(f'token "{token.name}" ({token.id}) is revoked')


async def _create(tokens: "ApiTokens", options: argparse.Namespace, now: int) -> None:
    from edgeworker.cli.output import Output
    from edgeworker.rest import permissions

    allowed = [str(permissions.parse(text)) for text in options.allow]
    expires_at = None if options.expires is None else expiry(options.expires, now=now)
    text = await tokens.create(options.name, allowed, now=now, expires_at=expires_at)
    # The token alone goes to stdout, so that it can be taken into a variable.
    expires = _format_moment(expires_at)
    Output.for_stream(sys.stderr).note(
        f'token "{options.name}" may: {", ".join(allowed)}; it expires: {expires}; keep it, it is shown once'
    )
    Output.for_stream().line(text)


async def _list(out: "Output", tokens: "ApiTokens", now: int) -> None:
    found = await tokens.list()
    if not found:
        out.note("there is no named token")
    out.table(
        ("name", "id", "permissions", "made", "expires"),
        [
            (
                token.name,
                token.id,
                ", ".join(token.permissions),
                _format_moment(token.created_at),
                _format_moment(token.expires_at)
                + (" (expired)" if token.expires_at is not None and token.expires_at <= now else ""),
            )
            for token in found
        ],
    )


def _format_moment(moment: int | None) -> str:
    return "never" if moment is None else f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M}Z"
