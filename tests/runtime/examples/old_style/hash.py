from js import Response, TextEncoder, Uint8Array, crypto


async def on_fetch(request):
    content = TextEncoder.new().encode(await request.text())
    digest = await crypto.subtle.digest("SHA-256", content)
    return Response.new("".join(f"{byte:02x}" for byte in Uint8Array.new(digest).to_py()))
