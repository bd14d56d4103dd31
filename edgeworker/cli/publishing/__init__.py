"""What `publish`, `rollback` and `versions` have in common: the edge that they talk to, and its answers."""

import argparse
import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from edgeworker.errors import ConfigError
from edgeworker.strict_json import JSON, dumps

if TYPE_CHECKING:
    from edgeworker.cli.output import Output

_WORKERS: Final = "/client/v4/edgeworker/workers"
_DEFAULT_URL: Final = "http://127.0.0.1:8788"
_TOKEN_VARIABLE: Final = "EDGEWORKER_API_TOKEN"
# The edge waits a minute for another publication to end, tries this one for two, and waits one for its processes.
_LONGEST_ANSWER_SECONDS: Final = 300.0


def add_edge_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the edge")
    group.add_argument(
        "--api-url", default=_DEFAULT_URL, metavar="URL", help="the API of an edge of `serve` (default: %(default)s)"
    )
    group.add_argument(
        "--api-token",
        metavar="TOKEN",
        help=f"with the permission workers:edit (default: ${_TOKEN_VARIABLE}, else the data directory's)",
    )
    group.add_argument(
        "--persist-to",
        type=Path,
        default=Path(".edgeworker"),
        metavar="DIR",
        help="the data directory that has the token (default: %(default)s)",
    )


def call_api(
    options: argparse.Namespace, method: str, path: str, content: bytes | None = None, *, kind: str = "application/json"
) -> JSON:
    """The `result` of a call; `path` is below the published workers. Raises ConfigError or OriginError."""
    return asyncio.run(_call_api(options, method, path, content, kind))


async def _call_api(options: argparse.Namespace, method: str, path: str, content: bytes | None, kind: str) -> JSON:
    from edgeworker.cli.rest_client import RestClient, envelope, refusal
    from edgeworker.messages import Body

    client = RestClient.open(options.api_url, token=_token(options), read_seconds=_LONGEST_ANSWER_SECONDS)
    try:
        body = None if content is None else Body(content, length=len(content))
        response = await client.send(method, _WORKERS + path, body, kind=kind)
        if response.status != 200:
            raise await refusal(response)
        return (await envelope(response)).get("result")
    finally:
        await client.close()


def worker_path(name: str) -> str:
    return f"/{quote(name, safe='')}"


def encode_deployment(number: int | None, message: str) -> bytes:
    return dumps({"version": number, "message": message}).encode()


def tell_deployed(out: "Output", result: JSON, what: str) -> None:
    """One line on what is served now, and a warning where not every process serves it yet."""
    match result:
        case {
            "name": str(name),
            "deployed": deployed,
            "processes": {"serving": int(serving), "of": int(processes)},
            **more,
        }:
            number = deployed.get("number") if isinstance(deployed, dict) else None
            version = "the worker of the configuration files" if number is None else f"version {number}"
            warnings = more.get("warnings")  # an edge of before tells none
            for warning in warnings if isinstance(warnings, list) else ():
                out.warning(str(warning))
            out.ok(f"{what} {name}: {version} is served ({serving} of {processes} processes)")
            if serving < processes:
                out.warning("the other processes follow as soon as they can; see the log of the edge")
        case _:
            raise ConfigError("the server at --api-url did not answer as the API of edgeworker does")


def version_rows(result: Mapping[str, JSON]) -> list[tuple[str, ...]]:
    """The versions of one worker, the newest first, with what is served marked."""
    deployed = result.get("deployed")
    current = deployed.get("id") if isinstance(deployed, dict) else None
    versions = result.get("versions")
    rows: list[tuple[str, ...]] = []
    for version in versions if isinstance(versions, list) else []:
        match version:
            case {
                "id": str(id),
                "number": int(number),
                "created_at": int(at),
                "author": str(author),
                "message": str(message),
            }:
                rows.append((str(number), "served" if id == current else "", _format_moment(at), author, message))
            case _:
                continue
    return rows


def describe_served(result: Mapping[str, JSON]) -> str:
    """The worker's name, and since when what is served is served, by whose word: a rollback has an author too."""
    name = str(result.get("name"))
    match result.get("deployments"):  # the newest first
        case [
            {"created_at": int(at), "author": str(author), "message": str(message), "number": None | int() as number},
            *_,
        ]:
            what = "the configuration files" if number is None else f"version {number}"
            return f"{name}: {what} since {_format_moment(at)}, by {author}" + (f" ({message})" if message else "")
        case _:
            return name


def _format_moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _token(options: argparse.Namespace) -> str:
    from edgeworker.host.datadir import DataDir

    token = options.api_token or os.environ.get(_TOKEN_VARIABLE)
    if token:
        return str(token)
    data = DataDir(options.persist_to)
    if not data.api_token_file.exists():
        raise ConfigError(
            f"there is no API token: give --api-token, set {_TOKEN_VARIABLE}, or name the data directory of the edge "
            f"with --persist-to ({data.api_token_file} is not there). `edgeworker token create NAME --allow "
            "workers:edit` makes one."
        )
    return data.api_token()
