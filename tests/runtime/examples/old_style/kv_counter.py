from js import Response


async def on_fetch(request, env, ctx):
    count = int(await env.COUNTS.get("visits") or 0) + 1
    await env.COUNTS.put("visits", str(count))
    return Response.new(f"visit {count}, {getattr(env, 'MISSING', 'no default')}")
