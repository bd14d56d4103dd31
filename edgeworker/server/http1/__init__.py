"""HTTP/1.1 on one connection, for both sides of the edge: states, connection core, parsers, heads.

It knows no listener, no pool and no handler. Begin with `states`: its table is what `connection` carries out.
"""
