from tests.edge.making import edges_are_closed

__all__ = ["edges_are_closed"]
