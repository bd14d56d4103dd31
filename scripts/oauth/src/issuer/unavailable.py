"""The one error of everything that keeps something for us."""


class Unavailable(Exception):
    """A store, or the place that tokens are published to, does not answer. Nothing is decided without it."""
