"""The modules of Node.js that a worker may import, with or without `node:`. Pure.

Source: https://nodejs.org/api/module.html#modulebuiltinmodules (version 22), https://developers.cloudflare.com/workers/runtime-apis/nodejs/
"""

from typing import Final

from edgeworker.javascript.project import Project
from edgeworker.javascript.syntax import read_syntax

NODE_BUILTINS: Final = frozenset(
    {
        "_http_agent",
        "_http_client",
        "_http_common",
        "_http_incoming",
        "_http_outgoing",
        "_http_server",
        "_stream_duplex",
        "_stream_passthrough",
        "_stream_readable",
        "_stream_transform",
        "_stream_wrap",
        "_stream_writable",
        "_tls_common",
        "_tls_wrap",
        "assert",
        "assert/strict",
        "async_hooks",
        "buffer",
        "child_process",
        "cluster",
        "console",
        "constants",
        "crypto",
        "dgram",
        "diagnostics_channel",
        "dns",
        "dns/promises",
        "domain",
        "events",
        "fs",
        "fs/promises",
        "http",
        "http2",
        "https",
        "inspector",
        "inspector/promises",
        "module",
        "net",
        "os",
        "path",
        "path/posix",
        "path/win32",
        "perf_hooks",
        "process",
        "punycode",
        "querystring",
        "readline",
        "readline/promises",
        "repl",
        "stream",
        "stream/consumers",
        "stream/promises",
        "stream/web",
        "string_decoder",
        "sys",
        "timers",
        "timers/promises",
        "tls",
        "trace_events",
        "tty",
        "url",
        "util",
        "util/types",
        "v8",
        "vm",
        "wasi",
        "worker_threads",
        "zlib",
    }
)


def is_provided(specifier: str) -> bool:
    """Whether an engine supplies the module: `node:...`, `cloudflare:...`, or a builtin of Node.js by its bare name."""
    return specifier.startswith(("node:", "cloudflare:", "workerd:")) or specifier in NODE_BUILTINS


def imported_of_node(project: Project) -> list[str]:
    """The builtins of Node.js that the modules of the project import, sorted."""
    code = [module.content for module in project.modules if module.kind == "esm"]
    found = {one.specifier for content in code for one in read_syntax(content.decode("utf-8", "replace")).imports}
    return sorted(name for name in found if name.removeprefix("node:") in NODE_BUILTINS)
