"""The module `workers` for type checkers: the names that the runtime gives to scripts, with their real types."""

from edgeworker.runtime.sdk.blob import Blob as Blob
from edgeworker.runtime.sdk.blob import BlobEnding as BlobEnding
from edgeworker.runtime.sdk.blob import File as File
from edgeworker.runtime.sdk.entrypoints import DurableObject as DurableObject
from edgeworker.runtime.sdk.entrypoints import WorkerEntrypoint as WorkerEntrypoint
from edgeworker.runtime.sdk.entrypoints import WorkflowEntrypoint as WorkflowEntrypoint
from edgeworker.runtime.sdk.entrypoints import handler as handler
from edgeworker.runtime.sdk.fetch import fetch as fetch
from edgeworker.runtime.sdk.formdata import FormData as FormData
from edgeworker.runtime.sdk.request import Request as Request
from edgeworker.runtime.sdk.response import FetchResponse as FetchResponse
from edgeworker.runtime.sdk.response import Response as Response

env: object
