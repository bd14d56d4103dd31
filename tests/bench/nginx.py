"""nginx as an origin, and nginx with lua doing the split-token work, where they are installed."""

import shutil
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.bench.processes import ended, free_port
from tests.bench.tokens import Split

HAS_NGINX: Final = shutil.which("nginx") is not None
_MODULES: Final = Path("/usr/lib/nginx/modules")
HAS_LUA: Final = HAS_NGINX and (_MODULES / "ngx_http_lua_module.so").exists()

_COMMON: Final = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
{modules}
events {{ worker_connections 16384; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
{http}
}}
"""

_ORIGIN: Final = """
  server {{
    listen 127.0.0.1:{port} backlog=1024; large_client_header_buffers 4 32k;
    location /large {{ alias {large}; default_type application/octet-stream; }}
    location / {{ default_type application/json; return 200 '{{"orders":[{{"id":1,"state":"open"}}]}}'; }}
  }}
"""

# sha1 instead of sha256, which needs a library: the difference is less than a microsecond.
_LUA: Final = """
  lua_shared_dict tokens 64m;
  init_by_lua_block {{
    for line in io.lines("{tokens}") do
      local token, value = line:match("^(%S+) (%S+)$")
      ngx.shared.tokens:set(ngx.encode_base64(ngx.sha1_bin(token)), value)
    end
  }}
  upstream api {{ server {origin}; keepalive 256; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location /hello {{ return 200 "hello"; }}
    location / {{
      access_by_lua_block {{
        local token = (ngx.var.http_authorization or ""):match("^Bearer ([A-Za-z0-9_-]+)$")
        local value = token and ngx.shared.tokens:get(ngx.encode_base64(ngx.sha1_bin(token)))
        if not value then return ngx.exit(401) end
        ngx.req.set_header("Authorization", "Bearer " .. value .. "." .. token)
      }}
      proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    }}
  }}
"""


def start_nginx_origin(stack: ExitStack, data: Path) -> int:
    port = free_port()
    large = data / "large"
    large.write_bytes(bytes(1024 * 1024))
    _start(stack, data / "origin", _ORIGIN.format(port=port, large=large), modules="", port=port)
    return port


def start_nginx_lua(stack: ExitStack, origin: str, data: Path, made: list[Split]) -> tuple[int, int]:
    """(port, process id)"""
    port = free_port()
    lines = data / "tokens.txt"
    lines.write_text("".join(f"{one.token} {one.value}\n" for one in made))
    modules = f"load_module {_MODULES}/ndk_http_module.so; load_module {_MODULES}/ngx_http_lua_module.so;"
    http = _LUA.format(tokens=lines, origin=origin.removeprefix("http://"), port=port)
    return port, _start(stack, data / "lua", http, modules=modules, port=port)


def _start(stack: ExitStack, folder: Path, http: str, *, modules: str, port: int) -> int:
    folder.mkdir()
    configuration = folder / "nginx.conf"
    configuration.write_text(_COMMON.format(folder=folder, modules=modules, http=http))
    program = shutil.which("nginx")
    assert program is not None
    process = stack.enter_context(ended(subprocess.Popen([program, "-c", str(configuration)], text=True)))
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
        except urllib.error.HTTPError:
            return process.pid
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.01)
        else:
            return process.pid
    raise SystemExit(f"nginx ended: {(folder / 'error.log').read_text()[-500:]}")
