import httpx
import requests
import urllib3
from workers import Response, WorkerEntrypoint

TARGET = "https://example.com/"


def told(client, status, text, headers):
    return {
        "client": client,
        "status": int(status),
        "saw_it": "Example Domain" in text,
        "content_type": headers.get("content-type"),
    }


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if not request.url.endswith("/sync"):
            return Response.json({"error": "not found"}, status=404)
        return Response.json({"target": TARGET, "results": self.all_clients()})

    def all_clients(self):
        one = requests.get(TARGET, timeout=10)
        two = urllib3.PoolManager().request("GET", TARGET, timeout=10.0)
        with httpx.Client() as client:
            three = client.get(TARGET, timeout=10.0)
        return [
            told("requests", one.status_code, one.text, one.headers),
            told("urllib3", two.status, two.data.decode("utf-8"), two.headers),
            told("httpx.Client", three.status_code, three.text, three.headers),
        ]
