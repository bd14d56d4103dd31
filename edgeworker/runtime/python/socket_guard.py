"""Holds sockets that libraries of scripts open by themselves to the edge's outbound policy, and tells of them.

Libraries that are known go out by `fetch()` (edgeworker.runtime.python.http_libraries). All others end in the `socket`
module, asyncio's and anyio's streams among them: while any script is loaded, its functions check who calls them.
Extension modules that open sockets in C are refused (extension_guard), and so are processes and the functions of C that
connect (process_guard). Scripts share the process with the edge, which is not a security boundary.
"""

import asyncio
import errno
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import thread as pool_threads
from contextvars import copy_context
from functools import partial
from ipaddress import ip_address
from typing import Final

from edgeworker.runtime.contract.script_frames import Script, calling_script, enter_script, nearest_script_frame
from edgeworker.runtime.python import process_guard, tracebacks
from edgeworker.runtime.python.told_once import ToldOnce

_log = logging.getLogger(__name__)
LISTENING: Final = "a socket that listens"
_REMEMBERED: Final = 1000  # names that a script looked up
_IP: Final = (socket.AF_INET, socket.AF_INET6)
# What `socket.socket` inherits from its parent in C, and is given here while scripts are loaded.
_parent: Final = socket.socket.__mro__[1]
_getaddrinfo: Final = socket.getaddrinfo
_gethostbyname: Final = socket.gethostbyname
_gethostbyname_ex: Final = socket.gethostbyname_ex
_start: Final = threading.Thread.start
_submit: Final[Callable[..., object]] = ThreadPoolExecutor.submit
_told: Final = ToldOnce()


def install() -> None:
    """While scripts are loaded; may be called again."""
    for name, guarded in _METHODS.items():
        setattr(socket.socket, name, guarded)
    for name, (_, guarded_lookup) in _LOOKUPS.items():
        setattr(socket, name, guarded_lookup)
    setattr(threading.Thread, "start", _start_for_script)  # noqa: B010  # mypy takes no assignment to a method
    setattr(ThreadPoolExecutor, "submit", _submit_for_script)  # noqa: B010


def uninstall() -> None:
    for name in _METHODS:
        if name in vars(socket.socket):
            delattr(socket.socket, name)
    for name, (usual, _) in _LOOKUPS.items():
        setattr(socket, name, usual)
    setattr(threading.Thread, "start", _start)  # noqa: B010
    setattr(ThreadPoolExecutor, "submit", _submit)  # noqa: B010


def _to_address(usual: Callable[..., object], position: int) -> Callable[..., object]:
    """A method of sockets that takes an address as its last argument, if there are `position` before it."""

    def guarded(self: socket.socket, *arguments: object) -> object:
        script = calling_script()
        if script is None or len(arguments) <= position or arguments[-1] is None:
            return usual(self, *arguments)
        return usual(self, *arguments[:-1], _checked(script, self, arguments[-1]))

    return guarded


def _to_listen(usual: Callable[..., object]) -> Callable[..., object]:
    def guarded(self: socket.socket, *arguments: object) -> object:
        process_guard.check(LISTENING)
        return usual(self, *arguments)

    return guarded


def _look_up(usual: Callable[..., object], *rest: object, **options: object) -> object:
    script = calling_script()
    host = rest[0] if rest else options.get("host")
    if script is None or not isinstance(host, str | bytes | bytearray):
        return usual(*rest, **options)
    name = host if isinstance(host, str) else bytes(host).decode("ascii", "replace")
    if (refusal := script.sockets.refuse_name(name)) is not None:
        raise socket.gaierror(socket.EAI_FAIL, refusal)
    found = usual(*rest, **options)
    for address in _addresses(found):
        # Otherwise a name that may be private would be refused by its address a moment later.
        if script.sockets.refuse_address(name, address) is None:
            if len(script.looked_up) >= _REMEMBERED:
                script.looked_up.clear()
            script.looked_up[address] = name
    return found


def _addresses(found: object) -> list[str]:
    """Of what the three functions answer: an address, (name, aliases, addresses), or the list of getaddrinfo."""
    match found:
        case str():
            return [found]
        case (str(), list(), list(addresses)):
            return [address for address in addresses if isinstance(address, str)]
        case list():
            return [address for *_, (address, *_) in found if isinstance(address, str)]
        case _:
            return []


def _checked(script: Script, connection: socket.socket, address: object) -> object:
    """The address, with a name in it looked up: what is connected to is what was checked. Raises PermissionError."""
    if connection.family not in _IP or not isinstance(address, tuple) or len(address) < 2:
        raise refused(f"{address!r}: scripts open sockets to internet addresses only")
    host, port, *more = address
    text = host if isinstance(host, str) else str(host, "ascii", "replace") if isinstance(host, bytes) else ""
    try:
        ip_address(text.partition("%")[0])
        number, name = text, script.looked_up.get(text, text)
    except ValueError:
        found = socket.getaddrinfo(text or "0.0.0.0", None, connection.family, connection.type)
        number, name = str(found[0][4][0]), text
    refusal = script.sockets.refuse_name(name) or script.sockets.refuse_address(name, number)
    if refusal is not None:
        raise refused(refusal)
    _tell(script, f"{name}:{port}", blocks=connection.gettimeout() != 0 and _in_loop())
    return (number, port, *more)


async def check_target(
    script: Script, host: object, port: object, look_up: Callable[..., Awaitable[list[object]]]
) -> str:
    """The address to connect to instead of the name: the first that is allowed. Raises PermissionError."""
    name = host if isinstance(host, str) else str(host, "ascii", "replace") if isinstance(host, bytes) else str(host)
    refusal = script.sockets.refuse_name(name)
    if refusal is None:
        found = _addresses(await look_up(name, port))
        refusals = [script.sockets.refuse_address(name, address) for address in found]
        allowed = [address for address, reason in zip(found, refusals, strict=True) if reason is None]
        if allowed:
            _tell(script, f"{name}:{port}", blocks=False)
            return allowed[0]
        refusal = next(filter(None, refusals), f"{name} has no address")
    raise refused(refusal)


def refused(text: str) -> PermissionError:
    return PermissionError(errno.EACCES, text)


def _tell(script: Script, target: str, *, blocks: bool) -> None:
    """One warning for each line of a script that opens sockets by a library's own means."""
    found = nearest_script_frame()
    place = (script.worker, "", 0) if found is None else (script.worker, found[0].f_code.co_filename, found[0].f_lineno)
    if not _told.is_first(*place):
        return
    _log.warning(
        'worker "%s" opens a socket to %s%s%s: the outbound policy holds for it, but Cloudflare has no such sockets; '
        "use fetch(), or a library that uses it: requests, urllib, httpx, aiohttp",
        script.worker,
        target,
        " and blocks all other requests while it waits for it" if blocks else "",
        "" if found is None else tracebacks.describe_line(found[0]),
    )


def _in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _start_for_script(self: threading.Thread) -> None:
    """A thread works for the script that started it. Those of a pool work for many, so each of their tasks says it."""
    script = calling_script()
    if script is not None and getattr(self, "_target", None) is not _POOL_THREAD:
        context = copy_context()
        context.run(enter_script(script).__enter__)
        setattr(self, "run", partial(context.run, self.run))  # noqa: B010
    _start(self)


def _submit_for_script(
    self: ThreadPoolExecutor, function: Callable[..., object], /, *args: object, **options: object
) -> object:
    script = calling_script()
    if script is None:
        return _submit(self, function, *args, **options)
    context = copy_context()
    context.run(enter_script(script).__enter__)
    return _submit(self, context.run, function, *args, **options)


_POOL_THREAD: Final = vars(pool_threads)["_worker"]
_METHODS: Final = {
    name: _to_address(getattr(_parent, name), position)
    for name, position in (("connect", 0), ("connect_ex", 0), ("sendto", 1), ("sendmsg", 3))
    if hasattr(_parent, name)
} | {"listen": _to_listen(vars(_parent)["listen"])}
_LOOKUPS: Final[dict[str, tuple[Callable[..., object], Callable[..., object]]]] = {
    "getaddrinfo": (_getaddrinfo, partial(_look_up, _getaddrinfo)),
    "gethostbyname": (_gethostbyname, partial(_look_up, _gethostbyname)),
    "gethostbyname_ex": (_gethostbyname_ex, partial(_look_up, _gethostbyname_ex)),
}
