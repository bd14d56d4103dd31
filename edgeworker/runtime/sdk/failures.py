"""The exceptions of `pyodide.http`. Source: https://pyodide.org/en/stable/usage/api/python-api/http.html"""


class AbortError(OSError):
    """The signal of a fetch was aborted."""


class BodyUsedError(OSError):
    """The body was read already."""


class HttpStatusError(OSError):
    """`raise_for_status()` of an answer from 400 on."""

    def __init__(self, status: int, status_text: str, url: str) -> None:
        super().__init__(f"{status} {status_text} for url: {url}")
        self.status = status
        self.status_text = status_text
        self.url = url
