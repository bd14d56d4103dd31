"""How a service refuses a call that cannot be meant."""


class CallRefused(Exception):
    """What JavaScript would throw; `error` is the name of its class ("TypeError"). A view raises it in its language."""

    def __init__(self, error: str, text: str) -> None:
        super().__init__(text)
        self.error = error
        self.text = text
