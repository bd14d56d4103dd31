import json
import uuid
from datetime import datetime, timezone
from urllib.parse import parse_qs, urlparse

from workers import Response, WorkerEntrypoint

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET,POST,DELETE,OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
}


def reply(data, status=200):
    return Response(json.dumps(data), status=status, headers={**CORS, "Content-Type": "application/json"})


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = urlparse(request.url)
        parts = [part for part in url.path.split("/") if part]
        query = parse_qs(url.query)
        if request.method == "OPTIONS":
            return Response(None, status=204, headers=CORS)
        if parts == ["todos"] and request.method == "GET":
            limit = int(query.get("limit", ["10"])[0])
            listed = await self.env.KV.list(prefix="todo:", limit=limit)
            todos = []
            for key in listed.keys:
                todo = json.loads(await self.env.KV.get(key.name))
                todos.append({**todo, "meta": key.metadata["done"]})
            return reply({"todos": todos, "complete": listed.list_complete})
        if parts == ["todos"] and request.method == "POST":
            body = await request.json()
            title = body.get("title")
            if not title:
                return reply({"error": "title is required"}, status=400)
            todo = {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, title)), "title": title}
            await self.env.KV.put(f"todo:{todo['id']}", json.dumps(todo), expirationTtl=3600, metadata={"done": False})
            return reply(todo, 201)
        if len(parts) == 2 and parts[0] == "todos":
            key = f"todo:{parts[1]}"
            if request.method == "DELETE":
                await self.env.KV.delete(key)
                return Response("", status=200, headers=CORS)
            found = await self.env.KV.getWithMetadata(key, type="json")
            if found.value is None:
                return reply({"error": "not found"}, 404)
            return reply({"todo": found.value["title"], "done": found.metadata.done})
        return reply({"error": f"no such page: {url.path}", "at": datetime.now(timezone.utc).year > 2000}, 404)
