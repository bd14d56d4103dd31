"""Which products there are.

An entry loads what a product needs only where it applies: an edge without it starts as fast as before.
"""

from typing import Final

from edgeworker.products.access.product import AccessProduct
from edgeworker.products.api_shield.product import APIShield
from edgeworker.products.product import Product

PRODUCTS: Final[tuple[Product, ...]] = (APIShield(), AccessProduct())
"""In the order in which a request meets them: API Shield and custom rules, rate limiting, Access; then come routes,
workers and the origin. https://developers.cloudflare.com/ruleset-engine/reference/phases-list/
"""
