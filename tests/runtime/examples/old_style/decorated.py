import json

from workers import Response, handler


@handler
async def on_fetch(request, env):
    form = await request.form_data()
    return Response(
        json.dumps({"name": form["name"], "all": form.get_all("tag")}), headers={"content-type": "text/json"}
    )


async def on_scheduled(controller, env, ctx):
    print(f"cron {controller.cron}")
