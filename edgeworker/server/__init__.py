"""Sockets: the edge's own and those to origins."""
