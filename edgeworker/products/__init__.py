"""What stands between a zone and its workers: Cloudflare's security products, each in a folder of its own.

To add one: `products/<name>/` with `config.py` (frozen values, pure), `policy.py` (what it decides, pure), `handler.py`
(which carries it out) and `product.py` (its entry), and its line in `registry.PRODUCTS`. Products do not import each
other; what they learn of a request travels on it (`request.access`, `request.verified_tokens`).
"""
