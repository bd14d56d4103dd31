import jinja2
from fastapi import FastAPI, Request
from workers import WorkerEntrypoint
from workers.asgi import env as bindings

page = jinja2.Environment(autoescape=True).from_string("Hello, {{ who }}!")
app = FastAPI()


@app.get("/")
async def root():
    return {"message": "a FastAPI application"}


@app.get("/hi/{who}")
async def hi(who: str):
    return {"message": page.render(who=who)}


@app.get("/env")
async def from_scope(request: Request):
    return {"message": request.scope["env"].MESSAGE, "client": request.client}


@app.get("/dependency")
async def from_dependency(env=bindings):
    return {"message": env.MESSAGE}


@app.post("/items")
async def items(item: dict):
    return {"given": item}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        import asgi

        return await asgi.fetch(app, request.js_object, self.env)
