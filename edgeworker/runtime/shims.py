"""The modules that we supply to a script under Cloudflare's and Pyodide's names, one namespace per worker."""

from collections.abc import Callable, Mapping
from functools import partial

from edgeworker.handler import Context
from edgeworker.runtime import invocation, sdk
from edgeworker.runtime.module_env import ModuleEnv
from edgeworker.runtime.modules import Shims
from edgeworker.runtime.sdk import blob, entrypoints, fetch, formdata, request, response


def for_worker(env: ModuleEnv) -> Shims:
    """`env` is what `workers.env` of this worker reads."""
    makers: dict[str, Callable[[], Mapping[str, object]]] = {
        "workers": partial(_workers, env),
    }
    return makers


def _workers(env: ModuleEnv) -> dict[str, object]:
    return {
        "__doc__": sdk.__doc__,
        "Blob": blob.Blob,
        "BlobEnding": blob.BlobEnding,
        "Context": Context,
        "DurableObject": entrypoints.DurableObject,
        "FetchResponse": response.FetchResponse,
        "File": blob.File,
        "FormData": formdata.FormData,
        "Request": request.Request,
        "Response": response.Response,
        "WorkerEntrypoint": entrypoints.WorkerEntrypoint,
        "WorkflowEntrypoint": entrypoints.WorkflowEntrypoint,
        "env": env,
        "fetch": fetch.fetch,
        "handler": entrypoints.handler,
        "patch_env": env.patched,
        "waitUntil": invocation.wait_until,
        "wait_until": invocation.wait_until,
    }
