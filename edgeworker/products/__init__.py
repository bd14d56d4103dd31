"""What stands between a zone and its workers: Cloudflare's security products, each in a folder of its own.

To add one: `products/<name>/` with `config.py` (frozen values, pure), `policy.py` (what it decides, pure) and
`handler.py` (which carries it out), and its line in PRODUCTS. Products do not import each other; what they learn of a
request travels on it (`request.access`, `request.verified_tokens`).
"""

from typing import Final

from edgeworker.products.product import OpenProduct, Product, ProductServices

__all__ = ["PRODUCTS", "OpenProduct", "Product", "ProductServices"]

PRODUCTS: Final[tuple[Product, ...]] = ()
"""In the order in which a request meets them: API Shield and custom rules, rate limiting, Access; then come routes,
workers and the origin. https://developers.cloudflare.com/ruleset-engine/reference/phases-list/
"""
