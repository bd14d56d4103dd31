"""The management plane: one aiohttp application on a socket of its own (the REST API, health, pages, live streams).

aiohttp takes half a second and 13 MB to load, so nothing in here imports it until the first request is read.
"""

from edgeworker.host.management.listener import ManagementListener, listen_management

__all__ = ["ManagementListener", "listen_management"]
