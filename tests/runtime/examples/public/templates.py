import csv
import io
import logging
import sqlite3
import sys
import xml.etree.ElementTree as ET
from contextlib import closing
from dataclasses import asdict, dataclass
from decimal import Decimal
from enum import Enum
from http import HTTPMethod, HTTPStatus
from pathlib import Path

import jinja2
from workers import Response, WorkerEntrypoint

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
log = logging.getLogger("app")
environment = jinja2.Environment(autoescape=True)


class Kind(Enum):
    A = "a"


@dataclass
class Row:
    name: str
    kind: Kind = Kind.A


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        log.info("handling %s", request.url)
        print("to stdout", file=sys.stderr)
        if request.method is HTTPMethod.PUT:
            return Response("", status=HTTPStatus.NO_CONTENT) if False else Response(None, status=HTTPStatus.NO_CONTENT)
        if request.url.endswith("/csv"):
            out = io.StringIO()
            csv.DictWriter(out, ["name", "kind"]).writerow({"name": "a,b", "kind": Kind.A.value})
            return Response(out.getvalue(), headers={"content-type": "text/csv"})
        if request.url.endswith("/xml"):
            root = ET.Element("rss")
            ET.SubElement(root, "title").text = "<T>"
            return Response(ET.tostring(root), headers={"content-type": "application/rss+xml"})
        if request.url.endswith("/sqlite"):
            with closing(sqlite3.connect(":memory:")) as db:
                return Response(str(db.execute("select 1 + 1").fetchone()[0]))
        if request.url.endswith("/self"):
            return Response((Path(__file__).parent / "templates.py").read_text()[:10])
        page = environment.from_string("<p>{{ name }}</p>").render(name="<Ann>")
        data = asdict(Row("x"))
        return Response(page + str(data["kind"]) + str(Decimal("1.10")), headers={"content-type": "text/html"})
