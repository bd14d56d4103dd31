"""Publishing worker projects into the edge, and what was published. edgeworker's own calls, not Cloudflare's."""

import re
from typing import Final

from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.publishing import Publication, PublishedWorker, PublishRefused, WorkerPublisher
from edgeworker.publishing.archive import MOST_ARCHIVE_BYTES
from edgeworker.publishing.version_store import NAME
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import success
from edgeworker.rest.errors import ApiError, WorkersCode
from edgeworker.rest.permissions import Need
from edgeworker.rest.router import Endpoint

_CONFIG: Final = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,100}\.(?:toml|json|jsonc)")
_ENV: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_LONGEST_MESSAGE: Final = 500


async def list_workers(call: Call) -> Response:
    index = _publisher(call).index()
    return success([_worker(worker) for worker in index.workers.values() if worker.versions])


async def get_worker(call: Call) -> Response:
    worker = _publisher(call).index().workers.get(_name(call))
    if worker is None or not worker.versions:
        raise ApiError(404, WorkersCode.NOT_FOUND, f"No version of a worker {_name(call)} was published to this edge.")
    return success(_worker(worker))


async def publish_version(call: Call) -> Response:
    """The body is a zip archive of the project's folder; `config` of the query names the wrangler file in it."""
    publisher, name = _publisher(call), _name(call)
    config = call.query.get("config", "wrangler.toml")
    env = call.query.get("env") or None
    if _CONFIG.fullmatch(config) is None:
        raise _invalid(f'config={config[:100]!a} is not the name of a wrangler file, such as "wrangler.toml"')
    if env is not None and _ENV.fullmatch(env) is None:
        raise _invalid(f"env={env[:100]!a} is not the name of an environment")
    message = _message(call.query.get("message", ""))
    body = call.request.body
    if body is not None and body.length is not None and body.length > MOST_ARCHIVE_BYTES:
        raise _too_large()
    try:
        archive = await call.content(limit=MOST_ARCHIVE_BYTES)
    except ApiError:
        raise _too_large() from None
    author = call.principal.name
    try:
        publication = await publisher.publish(name, archive, config=config, env=env, author=author, message=message)
    except PublishRefused as error:
        raise _refused(error) from None
    return success(_published(publication))


async def deploy_version(call: Call) -> Response:
    """`{"version": 3}` deploys a kept version again; `{"version": null}` what was deployed before the current one."""
    publisher, name = _publisher(call), _name(call)
    match await call.json(WorkersCode.INVALID_REQUEST):
        case {"version": None | int() as number, **more} if not isinstance(number, bool):
            text = more.get("message", "")
        case _:
            raise _invalid('write {"version": N}, or {"version": null} for what was deployed before')
    if not isinstance(text, str):
        raise _invalid('"message" must be a text')
    try:
        publication = await publisher.deploy(name, number, author=call.principal.name, message=_message(text))
    except PublishRefused as error:
        raise _refused(error) from None
    return success(_published(publication))


async def withdraw_worker(call: Call) -> Response:
    try:
        publication = await _publisher(call).withdraw(_name(call), author=call.principal.name, message="withdrawn")
    except PublishRefused as error:
        raise _refused(error) from None
    return success(_published(publication))


def _publisher(call: Call) -> WorkerPublisher:
    if call.publisher is None:
        raise ApiError(
            409,
            WorkersCode.NOT_AVAILABLE,
            "Nothing can be published into this edge: it serves its files as they are (`edgeworker dev`), or was "
            "started with --no-publish. Publish to an edge that `edgeworker serve` runs.",
        )
    return call.publisher


def _name(call: Call) -> str:
    name = call.params["worker"]
    if NAME.fullmatch(name) is None:
        raise _invalid(
            f"{name[:100]!a} cannot be a worker's name: lower-case letters, digits, - and _, at most 63 of them"
        )
    return name


def _message(text: str) -> str:
    if len(text) > _LONGEST_MESSAGE or not text.isprintable():
        raise _invalid(f"the message must be one line of at most {_LONGEST_MESSAGE} characters")
    return text


def _invalid(text: str) -> ApiError:
    return ApiError(400, WorkersCode.INVALID_REQUEST, text)


def _too_large() -> ApiError:
    return ApiError(413, WorkersCode.TOO_LARGE, f"a packed project has at most {MOST_ARCHIVE_BYTES >> 20} MiB")


def _refused(error: PublishRefused) -> ApiError:
    if error.missing:
        return ApiError(404, WorkersCode.NOT_FOUND, str(error))
    return ApiError(409, WorkersCode.INVALID_SCRIPT, str(error))


def _published(publication: Publication) -> JSON:
    processes: JSON = {"serving": publication.processes, "of": publication.all_processes}
    return {**_worker(publication.worker), "processes": processes, "warnings": list(publication.warnings)}


def _worker(worker: PublishedWorker) -> dict[str, JSON]:
    """Newest first."""
    numbers = {version.id: version.number for version in worker.versions}
    versions: list[JSON] = [version.to_json() for version in reversed(worker.versions)]
    deployments: list[JSON] = [
        {**deployment.to_json(), "number": numbers.get(deployment.version or "")}
        for deployment in reversed(worker.deployments)
    ]
    deployed = worker.deployed
    return {
        "name": worker.name,
        "deployed": None if deployed is None else deployed.to_json(),
        "versions": versions,
        "deployments": deployments,
    }


PUBLISHING_ENDPOINTS: Final = (
    Endpoint("GET", "/edgeworker/workers", list_workers, Need.WORKERS_READ, "edgeworker's own: what was published"),
    Endpoint("GET", "/edgeworker/workers/{worker}", get_worker, Need.WORKERS_READ, "edgeworker's own: its versions"),
    Endpoint(
        "POST",
        "/edgeworker/workers/{worker}/versions",
        publish_version,
        Need.WORKERS_EDIT,
        "edgeworker's own: publish a project (zip); `serve` only",
    ),
    Endpoint(
        "POST",
        "/edgeworker/workers/{worker}/deployments",
        deploy_version,
        Need.WORKERS_EDIT,
        "edgeworker's own: roll back, or deploy a kept version",
    ),
    Endpoint(
        "DELETE",
        "/edgeworker/workers/{worker}",
        withdraw_worker,
        Need.WORKERS_EDIT,
        "edgeworker's own: serve the configuration's worker again",
    ),
)
