"""Sockets: what clients connect to, and the connections to origins. The only room that speaks HTTP on a wire."""

from edgeworker.server.access_log import AccessLogger, AccessLogRecord
from edgeworker.server.listener import Listener, listen
from edgeworker.server.origin import OriginClient

__all__ = ["AccessLogRecord", "AccessLogger", "Listener", "OriginClient", "listen"]
