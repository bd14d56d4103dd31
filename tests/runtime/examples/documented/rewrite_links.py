from js import HTMLRewriter, fetch
from pyodide.ffi import create_proxy


async def on_fetch(request):
    old_url = "old.example.com"
    new_url = "new.example.com"

    class AttributeRewriter:
        def __init__(self, attr_name):
            self.attr_name = attr_name

        def element(self, element):
            attr = element.getAttribute(self.attr_name)
            if attr:
                element.setAttribute(self.attr_name, attr.replace(old_url, new_url))

    href = create_proxy(AttributeRewriter("href"))
    src = create_proxy(AttributeRewriter("src"))
    rewriter = HTMLRewriter.new().on("a", href).on("img", src)
    res = await fetch(request)
    content_type = res.headers["Content-Type"]
    if content_type.startswith("text/html"):
        return rewriter.transform(res)
    return res
