"""The error of what Cloudflare has and edgeworker does not emulate."""


class NotEmulated(NotImplementedError):
    """A feature of Cloudflare that a script used and that does not exist here."""
