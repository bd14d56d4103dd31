"""Which products there are. A module of its own: reading a product's configuration must not load its handlers."""

from typing import Final

from edgeworker.products.api_shield.handler import APIShield
from edgeworker.products.product import Product

PRODUCTS: Final[tuple[Product, ...]] = (APIShield(),)
"""In the order in which a request meets them: API Shield and custom rules, rate limiting, Access; then come routes,
workers and the origin. https://developers.cloudflare.com/ruleset-engine/reference/phases-list/
"""
