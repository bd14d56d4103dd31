"""What `perform_fetch` raises. It is compiled, and a compiled module cannot hold a subclass of OSError."""


class FetchFailed(OSError):
    """The network failed, or the answer was not HTTP. `__cause__` is the edge's own error if there is one."""
