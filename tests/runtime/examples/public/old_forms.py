from js import Object, Response, URLSearchParams, console
from pyodide.ffi import to_js


async def on_fetch(request, env):
    if "form" in request.headers.get("content-type"):
        data = await request.formData()
        entries = Object.fromEntries(data.entries())
        console.log("form", entries)
        name = data.get("name")
        missing = data.get("missing")
        return Response.json(
            to_js(
                {
                    "name": name,
                    "missing": missing,
                    "has": data.has("name"),
                    "all": data.getAll("tag"),
                    "keys": [key for key in data.keys()],
                    "entry": entries.name,
                },
                dict_converter=Object.fromEntries,
            )
        )
    params = URLSearchParams.new(await request.text())
    pairs = {key: value for key, value in params.entries()}
    params.append("z", "1 2")
    return Response.new(f"{pairs} {params.toString()} {params.get('nothing')}")
