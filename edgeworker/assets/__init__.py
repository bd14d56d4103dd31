"""Static files of a worker, served as Cloudflare serves them."""

from edgeworker.assets.serving import Assets

__all__ = ["Assets"]
