import re
from urllib.parse import urlparse

from workers import Response, WorkerEntrypoint, fetch


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = urlparse(request.url)
        if url.hostname in ["nope.example.com"]:
            return Response("Blocked Host", status=403)
        if re.search(r"\.(doc|xml)$", url.path):
            return Response("Blocked Extension", status=403)
        if "POST" in request.method:
            return Response("Response for POST")
        user_agent = request.headers["User-Agent"] or ""
        if "bot" in user_agent:
            return Response("Block User Agent containing bot", status=403)
        if request.headers["CF-Connecting-IP"] == "192.0.2.66":
            return Response("Block the IP", status=403)
        if request.cf and request.cf.asn == 64512:
            return Response("Block the ASN 64512 response")
        if request.headers["CF-Device-Type"] == "mobile":
            return Response.redirect("https://mobile.example.com")
        return await fetch(request)
