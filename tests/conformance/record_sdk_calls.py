"""Records the requests of Cloudflare's older Python SDKs, byte for byte, into cases/sdk_calls.json.

Run it once for each version, with a Python that has that version of `cloudflare` (3.1.1 and 4.3.1) and nothing else:

    python tests/conformance/record_sdk_calls.py

A small server on a loopback port notes what comes in and answers what the SDK needs to go on. The current SDK is a
development dependency and is run for real, see tests/wrangler_compat/api/test_sdk.py.
"""

import json
import socketserver
import threading
from pathlib import Path

import cloudflare

CASES = Path(__file__).parent / "cases" / "sdk_calls.json"
ACCOUNT = "0123456789abcdef0123456789abcdef"
NAMESPACE = "11111111111111111111111111111111"
KEY = "a/b c+d=é%"

_HERE = {"account_id": ACCOUNT, "namespace_id": NAMESPACE}
_PAIRS = [{"key": "x/1", "value": "one"}, {"key": "x/2", "value": "dHdv", "base64": True, "metadata": {"n": 2}}]

# What the recorded call is named, where it is found on a client, and its arguments.
CALLS: list[tuple[str, str, dict[str, object]]] = [
    ("verify", "user.tokens.verify", {}),
    ("accounts.list", "accounts.list", {}),
    ("namespaces.create", "kv.namespaces.create", {"account_id": ACCOUNT, "title": "made"}),
    ("namespaces.list", "kv.namespaces.list", {"account_id": ACCOUNT, "per_page": 50}),
    ("namespaces.update", "kv.namespaces.update", {**_HERE, "title": "renamed"}),
    (
        "values.update",
        "kv.namespaces.values.update",
        {**_HERE, "key_name": KEY, "value": "header.payload", "metadata": '{"a":1}'},
    ),
    ("values.get", "kv.namespaces.values.get", {**_HERE, "key_name": KEY}),
    ("metadata.get", "kv.namespaces.metadata.get", {**_HERE, "key_name": KEY}),
    ("keys.list", "kv.namespaces.keys.list", {**_HERE, "prefix": "a/", "limit": 10}),
    ("values.delete", "kv.namespaces.values.delete", {**_HERE, "key_name": KEY}),
    ("bulk.update", "kv.namespaces.bulk_update", {**_HERE, "body": _PAIRS}),
    ("bulk.update", "kv.namespaces.bulk.update", {**_HERE, "body": _PAIRS}),
    ("bulk.get", "kv.namespaces.bulk_get", {**_HERE, "keys": ["x/1", "x/2"], "with_metadata": True}),
    ("bulk.delete", "kv.namespaces.bulk_delete", {**_HERE, "body": ["x/1", "x/2"]}),
]

_RESULT = {"id": NAMESPACE, "title": "t", "status": "active", "supports_url_encoding": True}
_recorded: list[bytes] = []


class Recorder(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return
            head += line
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:-2])
        body = self.rfile.read(int(fields.get(b"content-length", b"0")))
        _recorded.append(head + body)
        target = head.split(b" ")[1]
        is_list = target.partition(b"?")[0].endswith((b"/namespaces", b"/keys", b"/accounts")) and head.startswith(
            b"GET"
        )
        answer = {
            "success": True,
            "errors": [],
            "messages": [],
            "result": [] if is_list else _RESULT,
            "result_info": {},
        }
        content = b"value" if b"/values/" in target and head.startswith(b"GET") else json.dumps(answer).encode()
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n")
        self.wfile.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))


def main() -> None:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_address[1]}/client/v4"
    client = cloudflare.Cloudflare(api_token="the-edge-token", base_url=root, max_retries=0)
    requests = []
    for name, path, arguments in CALLS:
        call: object = client
        for step in path.split("."):
            call = getattr(call, step, None)
        if not callable(call):
            continue  # this version has the call under another name, or not at all
        _recorded.clear()
        answer = call(**arguments)
        if name.endswith(".list"):
            list(answer)
        requests.append({"call": name, "bytes": _recorded[0].decode("latin-1")})
    server.shutdown()
    cases = json.loads(CASES.read_text()) if CASES.exists() else {}
    cases[cloudflare.__version__] = requests
    CASES.write_text(json.dumps(dict(sorted(cases.items())), indent=1) + "\n")


if __name__ == "__main__":
    main()
