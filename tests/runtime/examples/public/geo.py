from js import Object
from pyodide.ffi import to_js
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        cf = request.cf
        raw = request.js_object.cf
        ip = request.headers.get("CF-Connecting-IP", "unknown")
        if getattr(cf, "country", None) == "DE":
            return Response.redirect("https://example.com/de", status=302)
        return Response.json(
            {
                "country": cf.country,
                "city": raw.to_py()["city"],
                "colo": cf.colo,
                "missing": getattr(cf, "nothing", None),
                "tls": cf.tlsClientAuth.certPresented,
                "ip": ip,
                "keys": "timezone" in Object.keys(raw).to_py(),
            }
        )
