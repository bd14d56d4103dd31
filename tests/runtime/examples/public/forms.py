import html
from http.cookies import SimpleCookie
from urllib.parse import parse_qs

from workers import FormData, Response, WorkerEntrypoint, fetch

PAGE = """<!doctype html><form method="post" enctype="multipart/form-data">
<input name="name"><input type="file" name="file"></form>"""


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.method == "GET":
            cookies = SimpleCookie(request.headers.get("cookie") or "")
            seen = cookies["seen"].value if "seen" in cookies else "0"
            headers = [
                ("content-type", "text/html; charset=utf-8"),
                ("set-cookie", f"seen={int(seen) + 1}; Path=/; HttpOnly"),
                ("set-cookie", "theme=dark"),
            ]
            return Response(PAGE, headers=headers)
        content_type = request.headers.get("content-type", "")
        if content_type.startswith("application/x-www-form-urlencoded") and "raw" in request.url:
            fields = parse_qs(await request.text())
            return Response.json({key: values for key, values in fields.items()})
        form = await request.formData()
        if "file" in form:
            file = form["file"]
            content = await file.bytes()
            return Response.json(
                {"name": html.escape(form["name"]), "file": file.name, "type": file.content_type, "size": len(content)}
            )
        upstream = FormData({"name": form["name"]})
        upstream.append("copy", "1")
        answer = await fetch("https://api.example.com/form", method="POST", body=upstream)
        return Response.json({"fields": [list(pair) for pair in form.items()], "upstream": await answer.text()})
