import logging
from contextlib import asynccontextmanager
from typing import Annotated

import asgi
from fastapi import APIRouter, BackgroundTasks, Cookie, Depends, FastAPI, Header, HTTPException, Query, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse
from jinja2 import Template
from pydantic import BaseModel, Field
from workers import WorkerEntrypoint

logger = logging.getLogger(__name__)
notes = []


@asynccontextmanager
async def lifespan(app):
    app.state.started = True
    yield {"greeting": "hi"}


app = FastAPI(title="Demo", lifespan=lifespan)
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
router = APIRouter(prefix="/items", tags=["items"])


class Item(BaseModel):
    name: str = Field(min_length=1)
    price: float
    tags: list[str] = []


def get_env(request: Request):
    return request.scope["env"]


@router.get("/{item_id}")
async def read_item(item_id: int, q: Annotated[str | None, Query(max_length=5)] = None, env=Depends(get_env)):
    stored = await env.KV.get(f"item:{item_id}", "json")
    if stored is None:
        raise HTTPException(status_code=404, detail="Item not found", headers={"X-Error": "missing"})
    return {"item_id": item_id, "q": q, **stored}


@router.put("/{item_id}", status_code=201)
async def put_item(item_id: int, item: Item, request: Request):
    await request.scope["env"].KV.put(f"item:{item_id}", item.model_dump_json())
    return item


app.include_router(router)


@app.get("/", response_class=HTMLResponse)
async def index(request: Request):
    return Template("<h1>{{ title }}</h1>{% for n in names %}<li>{{ n }}</li>{% endfor %}").render(
        title=request.app.title, names=["a", "b"]
    )


@app.get("/headers")
async def headers(user_agent: Annotated[str | None, Header()] = None, session: Annotated[str | None, Cookie()] = None):
    response = JSONResponse({"agent": user_agent, "session": session})
    response.set_cookie("session", "s2", httponly=True)
    response.set_cookie("other", "1")
    return response


@app.get("/stream")
async def stream():
    async def events():
        for number in range(3):
            yield f"data: {number}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@app.get("/old")
async def old():
    return RedirectResponse("/", status_code=308)


@app.post("/background")
async def background(tasks: BackgroundTasks):
    tasks.add_task(notes.append, "noted")
    return {"queued": True}


@app.get("/notes")
def sync_notes():
    return notes


@app.get("/state")
async def state(request: Request):
    return {
        "started": request.app.state.started,
        "greeting": request.state.greeting,
        "url": str(request.url),
        "base": str(request.base_url),
        "client": request.client.host if request.client else None,
    }


@app.get("/fail")
async def fail():
    raise ValueError("broken")


@app.exception_handler(ValueError)
async def on_value_error(request: Request, error: ValueError):
    return JSONResponse(status_code=418, content={"message": str(error)})


@app.middleware("http")
async def timing(request: Request, call_next):
    response = await call_next(request)
    response.headers["X-Process"] = "yes"
    return response


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await asgi.fetch(app, request, self.env)
