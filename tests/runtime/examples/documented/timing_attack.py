from js import TextEncoder, crypto
from workers import Response

encoder = TextEncoder.new()


async def on_fetch(request, env):
    auth_token = request.headers["Authorization"] or ""
    secret = env.SECRET
    if secret is None:
        return Response("Missing secret binding", status=500)
    if len(auth_token) != len(secret):
        return Response("Unauthorized", status=401)
    a = encoder.encode(auth_token)
    b = encoder.encode(secret)
    if not crypto.subtle.timingSafeEqual(a, b):
        return Response("Unauthorized", status=401)
    return Response("Welcome!")
