"""Sockets: what clients connect to, and the connections to origins. The only room that speaks HTTP on a wire."""

from edgeworker.server.listener import AccessLogRecord, Listener, listen
from edgeworker.server.origin import OriginClient

__all__ = ["AccessLogRecord", "Listener", "OriginClient", "listen"]
