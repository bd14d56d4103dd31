from html import escape
from urllib.parse import urlparse

from js import HTMLRewriter
from pyodide.ffi import create_proxy
from workers import Request, WorkerEntrypoint, fetch


class Injector:
    def __init__(self, properties):
        self.properties = properties
        self.done = False

    def element(self, head):
        if self.done:
            return
        self.done = True
        for name, content in self.properties.items():
            head.prepend(f'<meta property="{escape(name)}" content="{escape(content)}" />', html=True)


class Remover:
    def element(self, element):
        element.remove()


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request):
        path = urlparse(request.url).path
        response = await fetch(f"https://example.com{path}")
        rewriter = HTMLRewriter.new()
        rewriter.on('meta[property^="og:"]', create_proxy(Remover()))
        rewriter.on("head", create_proxy(Injector({"og:title": f"Page {path}", "og:type": "website"})))
        return rewriter.transform(response.js_object)
