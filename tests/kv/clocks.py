"""A clock that a test moves."""


class FakeClock:
    """Stands at `seconds` until a test moves it; sleeping moves it too."""

    def __init__(self, seconds: int = 1_000_000) -> None:
        self.seconds: float = seconds

    def now(self) -> int:
        return int(self.seconds)

    def now_ms(self) -> int:
        return int(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
