"""The application's own server: the place to which the browser comes back with a code. With `demo --oauth --keep` a
person logs in through it."""

import html
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import ClassVar, Final

from edgeworker.cli.demo.serving import listening

# (status, fields, page) for the path and query of a GET.
Answer = tuple[int, dict[str, str], str]

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }}
body {{ max-width: 48rem; margin: 3rem auto; padding: 0 1rem }}
pre {{ overflow-x: auto; padding: .75rem; border: 1px solid #8886; border-radius: .5rem; white-space: pre-wrap;
  overflow-wrap: anywhere }}
</style></head><body><h1>{title}</h1>{body}</body></html>
"""


def page(title: str, *parts: tuple[str, str]) -> str:
    """`parts` are (text above, text to be seen as it is)."""
    body = "".join(
        f"<p>{html.escape(above)}</p>" + (f"<pre>{html.escape(shown)}</pre>" if shown else "") for above, shown in parts
    )
    return _PAGE.format(title=html.escape(title), body=body)


class ClientApplication:
    """Serves on a free port of this machine. `on_get` may be set to answer more than the callback."""

    def __init__(self) -> None:
        self.url = ""
        self.on_get: Callable[[str], Answer] | None = None

    @property
    def redirect_uri(self) -> str:
        return f"{self.url}/callback"

    def answer(self, target: str) -> Answer:
        if self.on_get is not None:
            return self.on_get(target)
        return 200, {}, page("Notes", ("You are back at the application.", ""))

    @contextmanager
    def listening(self) -> Iterator["ClientApplication"]:
        handler = type("_BoundHandler", (_Handler,), {"application": self})
        with listening(handler) as self.url:
            yield self


class _Handler(BaseHTTPRequestHandler):
    application: ClassVar[ClientApplication]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status, fields, text = self.application.answer(self.path)
        body = text.encode()
        self.send_response(status)
        fixed = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        }
        for name, value in {**fixed, **fields}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """The demo tells what came; and the path holds a code."""
