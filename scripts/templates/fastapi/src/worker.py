"""A FastAPI application as a worker."""

import asgi
from fastapi import FastAPI, Request

from workers import WorkerEntrypoint

app = FastAPI()


@app.get("/")
async def root(request: Request):
    return {"message": f"{request.scope['env'].GREETING} world!"}


@app.get("/items/{item_id}")
async def item(item_id: int):
    return {"item_id": item_id}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await asgi.fetch(app, request.js_object, self.env)
