"""What a script reads of a URL, and what is sent."""

import pytest

from edgeworker.messages import InvalidURL, Request
from edgeworker.runtime.webapi.written_url import as_written, is_fetched, read_url, with_user_info


@pytest.mark.parametrize(
    ("text", "written", "sent", "answered"),
    [
        ("https://Ann:pw@X.example/a?q#f", "https://Ann:pw@x.example/a?q#f", "https://x.example/a?q", "https://Ann:pw@x"),
        ("https://ann@x.example", "https://ann@x.example/", "https://x.example/", "https://ann@x"),
        ("http://x.example/#", "http://x.example/#", "http://x.example/", "http://x"),
        ("http://x.example/a", None, "http://x.example/a", "http://x"),
    ],
)  # fmt: skip
def test_user_info_and_fragment_are_read_and_not_sent(text: str, written: str, sent: str, answered: str) -> None:
    url, more = read_url(text)

    assert (more, url.href) == (written, sent)
    assert with_user_info(url, more).startswith(answered)
    assert as_written(Request("GET", url, written_url=more)) == (written or sent)


def test_another_scheme_is_not_sent() -> None:
    url, written = read_url("ftp://x.example/a")

    assert (is_fetched(url), written) == (False, "ftp://x.example/a")


def test_what_is_no_url_is_refused() -> None:
    with pytest.raises(InvalidURL, match="nope"):
        read_url("nope")
