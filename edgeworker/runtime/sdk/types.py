"""Names of `workers` that exist for annotations, and the exception of `workers.workflows`."""

from http import HTTPMethod
from typing import TypedDict

from edgeworker.runtime.sdk.blob import Blob
from edgeworker.runtime.sdk.formdata import FormData
from edgeworker.runtime.webapi.base import BodySource
from edgeworker.runtime.webapi.blob import Blob as JSBlob
from edgeworker.runtime.webapi.buffers import ArrayBuffer
from edgeworker.runtime.webapi.headers import Headers as JSHeaders

JSBody = BodySource | ArrayBuffer
Body = str | FormData | JSBody
Headers = dict[str, str] | list[tuple[str, str]] | JSHeaders
BlobValue = str | bytes | ArrayBuffer | JSBlob | Blob
FormDataValue = str | JSBlob | Blob


class RequestInitCfProperties(TypedDict, total=False):
    """https://developers.cloudflare.com/workers/runtime-apis/request/#the-cf-property-requestinitcfproperties"""

    apps: bool | None
    cacheEverything: bool | None
    cacheKey: str | None
    cacheTags: list[str] | None
    cacheTtl: int
    cacheTtlByStatus: dict[str, int]
    image: object
    mirage: bool | None
    polish: str | None
    resolveOverride: str | None
    scrapeShield: bool | None
    webp: bool | None


class FetchKwargs(TypedDict, total=False):
    """https://developers.cloudflare.com/workers/runtime-apis/request/#options"""

    headers: Headers | None
    body: Body | None
    method: HTTPMethod | None
    redirect: str | None
    cf: RequestInitCfProperties | None
    fetcher: object


class NonRetryableError(Exception):
    """Says that a step of a Workflow shall not be tried again."""
