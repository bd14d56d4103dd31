from js import JSON, Headers, Object, Response


def raw_html_response(html):
    return Response.new(html, headers=Headers.new({"content-type": "text/html;charset=UTF-8"}.items()))


async def read_request_body(request):
    content_type = request.headers["content-type"]
    if "application/json" in content_type:
        return JSON.stringify(await request.json())
    if "form" in content_type:
        form = await request.formData()
        return JSON.stringify(Object.fromEntries(form.entries()))
    return await request.text()


async def on_fetch(request):
    if "form" in request.url:
        return raw_html_response("<form>")
    if "POST" in request.method:
        return Response.new(f"The request body sent in was {await read_request_body(request)}")
    return Response.new("The request was not POST")
