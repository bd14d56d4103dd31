"""The assets of one worker: a Handler, and the decision whether they or the script answer.

Source: https://developers.cloudflare.com/workers/static-assets/routing/worker-script/
"""

import logging
from typing import Final

from edgeworker import config
from edgeworker.assets import header_rules, paths, redirect_rules
from edgeworker.assets.files import HEADERS_FILE, REDIRECTS_FILE, AssetFile, Files
from edgeworker.assets.patterns import glob_pattern
from edgeworker.config import NotFoundHandling
from edgeworker.messages import Headers, Request, Response

_log = logging.getLogger(__name__)

# What Cloudflare tells browsers: ask each time whether it is still the same.
_REVALIDATE: Final = "public, max-age=0, must-revalidate"
_PHRASES: Final = {
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
}


class AssetServer:
    """`fetch` is what `env.ASSETS.fetch` does; `front` is what stands before the script."""

    def __init__(self, settings: config.Assets, *, worker: str, has_script: bool) -> None:
        """`worker` is the worker's name, for log lines: invalid rules are left out with a warning."""
        self._settings = settings
        self._has_script = has_script
        self._files = Files(settings.directory)
        self._headers, problems = header_rules.parse(self._files.text(HEADERS_FILE) or "")
        _warn(worker, HEADERS_FILE, problems)
        self._redirects, problems = redirect_rules.parse(self._files.text(REDIRECTS_FILE) or "", settings.html_handling)
        _warn(worker, REDIRECTS_FILE, problems)
        globs = settings.run_worker_first if isinstance(settings.run_worker_first, tuple) else ()
        self._script_first = [glob_pattern(glob) for glob in globs if not glob.startswith("!")]
        self._assets_first = [glob_pattern(glob[1:]) for glob in globs if glob.startswith("!")]

    async def front(self, request: Request) -> Response | None:
        """The answer to a request for the worker, or None where its script is to answer."""
        return None if self._is_for_script(request) else await self.fetch(request)

    async def fetch(self, request: Request, /) -> Response:
        response = await self._answer(request)
        header_rules.apply(self._headers, request.url, response.headers)
        return response

    def _is_for_script(self, request: Request) -> bool:
        if not self._has_script:
            return False
        path = request.url.path
        if any(pattern.fullmatch(path) for pattern in self._assets_first):
            return False
        if any(pattern.fullmatch(path) for pattern in self._script_first):
            return True
        return self._settings.run_worker_first is True or not self._have_an_answer(request)

    def _have_an_answer(self, request: Request) -> bool:
        """The page for what is not found counts only for a browser that opens a page, and beside globs."""
        settings = self._settings
        opens_a_page = settings.navigation_prefers_assets and request.headers.get("sec-fetch-mode") == "navigate"
        counts = opens_a_page or isinstance(settings.run_worker_first, tuple)
        target = self._apply_redirects(request)
        if isinstance(target, Response) or target != request.url.path:
            return True
        return self._decide(target, settings.not_found_handling if counts else "none") is not None

    def _apply_redirects(self, request: Request) -> Response | str:
        """What `_redirects` makes of it: a redirect, or the path that is answered."""
        match self._redirects.find(request.url):
            case None:
                return request.url.path
            case (200, to):
                return request.url.join(to).path
            case (status, to):
                return _redirect(status, redirect_rules.location(request.url, to))

    def _decide(self, path: str, not_found: NotFoundHandling) -> paths.Serve | paths.Redirect | None:
        inner = self._below_base(path)
        if inner is None:
            return None
        return paths.decide(paths.decode_path(inner), self._files.exists, self._settings.html_handling, not_found)

    def _below_base(self, path: str) -> str | None:
        base = self._settings.base_path
        if f"{path}/" == base:
            return "/"
        return path[len(base) - 1 :] if path.startswith(base) else None

    async def _answer(self, request: Request) -> Response:
        target = self._apply_redirects(request)
        if isinstance(target, Response):
            return target
        decision = self._decide(target, self._settings.not_found_handling)
        if decision is None:
            return Response(404, status_text="Not Found")
        if request.method not in ("GET", "HEAD"):
            return Response(405, status_text="Method Not Allowed")
        # One file has one spelling of its path; a request with another spelling is redirected to it. The page for what
        # is not found answers under the requested path.
        path = paths.decode_path(self._below_base(target) or "/")
        shown = decision.to if isinstance(decision, paths.Redirect) else path
        there = self._settings.base_path[:-1] + paths.encode_path(shown)
        if isinstance(decision, paths.Redirect) or there != target:
            return _redirect(307, there + request.url.query)
        file = await self._files.read(decision.file)
        if file is None:
            return Response(404, status_text="Not Found")
        return _serve_file(request, file, decision.status)


def _serve_file(request: Request, file: AssetFile, status: int) -> Response:
    headers = Headers()
    if file.content_type is not None:
        headers.append("Content-Type", file.content_type)
    headers.append("ETag", f'"{file.etag}"')
    if not (request.headers.has("authorization") or request.headers.has("range")):
        headers.append("Cache-Control", _REVALIDATE)
    headers.append("CF-Cache-Status", "HIT")
    if request.headers.get("if-none-match") in (f'"{file.etag}"', f'W/"{file.etag}"'):
        return Response(304, headers, status_text="Not Modified")
    text = "Not Found" if status == 404 else ""
    return Response(status, headers, None if request.method == "HEAD" else file.content, status_text=text)


def _redirect(status: int, to: str) -> Response:
    return Response(status, Headers([("Location", to)]), status_text=_PHRASES[status])


def _warn(worker: str, name: str, problems: list[str]) -> None:
    for problem in problems:
        _log.warning('worker "%s": %s: %s', worker, name, problem)
