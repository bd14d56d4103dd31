"""HTTP/1.1 on one connection, for both sides of the edge: the parsers and the bytes of heads.

It knows no listener, no pool and no handler.
"""
