"""How a service refuses an invalid call."""


class CallRefused(Exception):
    """What JavaScript would throw; `error` is the name of its class ("TypeError"). A view raises it in its language."""

    def __init__(self, error: str, text: str) -> None:
        super().__init__(text)
        self.error = error
        self.text = text
