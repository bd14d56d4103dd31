"""What a small project's `dev` has imported and made when it answers its first request: its start pays for all of it.

How much that is, in instructions: `poe instructions start`.
"""

import json
from pathlib import Path

from tests.cli.running import dev

CONFIG = (
    'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-08-01"\ncompatibility_flags = ["python_workers"]\n'
    '[[kv_namespaces]]\nbinding = "KV"\nid = "aaaa"\n'
)
SCRIPT = """
import sys
from dataclasses import is_dataclass

import js
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        assert js.HTMLRewriter and js.crypto and js.WebSocket
        ours = [m for name, m in sys.modules.items() if name.split(".")[0] in ("edgeworker", "wrangler_compat")]
        classes = {c for module in ours for c in vars(module).values() if isinstance(c, type) and is_dataclass(c)}
        # Where there is none, `dataclass` makes one of the signature, for which it looks the whole class through.
        named = {f"{c.__module__}.{c.__qualname__}": c.__doc__.startswith(f"{c.__name__}(") for c in classes}
        return Response.json({"modules": list(sys.modules), "dataclasses": named})
"""

# Each of them costs time and memory that only some edges have a use for. A name stands for what is below it too.
LATE = (
    "aiohttp",  # the first request of the API socket
    "aiosqlite",  # lists of KV, state.sqlite
    "cryptography",  # TLS, tokens, crypto.subtle
    "edgeworker.assets",  # workers with static files
    "edgeworker.balancing.policy",  # load balancers
    "edgeworker.cron.expression",  # triggers
    "edgeworker.expressions",  # API Shield's rules
    "edgeworker.host.acme",  # https with certificates of an ACME authority
    "edgeworker.host.tracing",  # --trace
    "edgeworker.javascript.esbuild",  # JavaScript workers
    "edgeworker.javascript.loading",
    "edgeworker.javascript.sourcemaps",
    "edgeworker.publishing",  # published workers
    "edgeworker.runtime.engines",
    "edgeworker.runtime.quickjs",
    "edgeworker.runtime.workerd",
    "edgeworker.runtime.webapi.crypto.subtle",  # scripts that use them
    "edgeworker.runtime.webapi.form_reader",
    "edgeworker.runtime.webapi.html.nodes",
    "edgeworker.runtime.webapi.html.rewriter",
    "edgeworker.schema.describe",  # `config show`
    "edgeworker.server.balanced_origin",  # load balancers
    "edgeworker.server.origin_checks",
    "edgeworker.testing",
    "importlib.metadata",  # `init`
    "jwt",
    "multipart",  # forms
    "opentelemetry",  # spans
    "oauthlib",  # `demo --oauth`
    "pathspec",  # static assets
    "publicsuffixlist",  # zones that must be guessed
    "rich",  # other commands
    "uuid",
    "websockets",
    "wrangler_compat.api",  # the first request of the API
    "wrangler_compat.dotenv",  # .dev.vars and .env
    "yaml",  # `shield import`
)


def test_an_edge_answers_before_it_has_loaded_what_it_does_not_need(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    (tmp_path / "worker.py").write_text(SCRIPT)

    with dev(cwd=tmp_path) as edge:
        answer = json.loads(edge.get("localhost").text)

    loaded, dataclasses = answer["modules"], answer["dataclasses"]
    assert "edgeworker.runtime.python.isolate" in loaded
    assert [name for name in loaded if any(f"{name}.".startswith(f"{late}.") for late in LATE)] == []
    # Of a product, only the module that says whether it applies.
    parts = [name.split(".") for name in loaded if name.startswith("edgeworker.products.")]
    assert [part for part in parts if len(part) > 3 and part[3] != "product"] == []
    assert "edgeworker.config.Config" in dataclasses
    assert [name for name, has_no_docstring in dataclasses.items() if has_no_docstring] == []
