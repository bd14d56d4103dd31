from js import JSON, Object, Response
from pyodide.ffi import to_js


async def on_fetch(request, env, ctx):
    if str(request.method) != "POST":
        return Response.new("Use POST", status=405)
    data = await request.json()
    answer = {"name": data.name, "tags": list(data.tags), "upper": data.name.upper()}
    options = to_js({"status": 201, "headers": {"content-type": "application/json"}}, dict_converter=Object.fromEntries)
    return Response.new(JSON.stringify(to_js(answer, dict_converter=Object.fromEntries)), options)
