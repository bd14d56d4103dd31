"""What is wrong with an expression, and where. Pure."""

from edgeworker.errors import ConfigError


class ExpressionError(ConfigError):
    """An expression that Cloudflare's engine refuses, or that cannot be evaluated here.

    `line` and `column` count from 1; columns count bytes of UTF-8, as the engine's do. `pointed` shows the line with
    carets under the place.
    """

    def __init__(self, reason: str, expression: str, start: int, end: int) -> None:
        """`start` and `end` are the place in `expression`, in characters."""
        line_start = expression.rfind("\n", 0, start) + 1
        newline = expression.find("\n", line_start)
        line_end = len(expression) if newline < 0 else newline
        self.reason = reason
        self.line = expression.count("\n", 0, start) + 1
        self.column = len(expression[line_start:start].encode("utf-8", "surrogatepass")) + 1
        carets = max(1, min(end, line_end) - start)
        self.pointed = f"{expression[line_start:line_end]}\n{' ' * (start - line_start)}{'^' * carets} {reason}"
        super().__init__(f"{reason} (line {self.line}, column {self.column})")
