"""The one error of everything that stores something."""


class Unavailable(Exception):
    """A store, or the publisher of split tokens, does not answer. Nothing is decided without it."""
