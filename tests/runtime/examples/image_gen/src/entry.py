import struct
import zlib
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from pyodide.ffi import to_js
from workers import Request, Response, WorkerEntrypoint


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, grey: int) -> bytes:
    file = BytesIO()
    file.write(b"\x89PNG\r\n\x1a\n")
    file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)))
    file.write(chunk(b"IDAT", zlib.compress((b"\0" + bytes([grey]) * width) * height)))
    file.write(chunk(b"IEND", b""))
    return file.getvalue()


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request):
        url = urlparse(request.url)
        wanted = parse_qs(url.query)
        if url.path != "/placeholder":
            page = Path(__file__).parent / "index.html"
            return Response(page.read_text(), headers={"Content-Type": "text/html"})
        image = png(int(wanted.get("width", [400])[0]), int(wanted.get("height", [300])[0]), 0xCC)
        return Response(
            to_js(image).buffer, headers={"Content-Type": "image/png", "Cache-Control": "public, max-age=3600"}
        )
