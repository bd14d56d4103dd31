"""Static files of a worker, served as Cloudflare serves them."""

from edgeworker.assets.serving import AssetServer

__all__ = ["AssetServer"]
