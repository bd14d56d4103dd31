import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.assets.paths import Redirect, Serve, decide, decode_path, encode_path
from edgeworker.config import HTMLHandling, NotFoundHandling

FILES = {"/index.html", "/about.html", "/blog/index.html", "/blog/404.html", "/404.html", "/a.txt"}
MODES: tuple[HTMLHandling, ...] = ("auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none")
MISSES: tuple[NotFoundHandling, ...] = ("none", "single-page-application", "404-page")


@pytest.mark.parametrize(
    ("html", "path", "answer"),
    [
        ("auto-trailing-slash", "/about/", Redirect("/about")),
        ("auto-trailing-slash", "/blog", Redirect("/blog/")),
        ("force-trailing-slash", "/about", Redirect("/about/")),
        ("drop-trailing-slash", "/blog/", Redirect("/blog")),
        ("none", "/about", None),
        ("none", "/about.html", Serve("/about.html")),
    ],
)
def test_a_page_has_one_path(html: HTMLHandling, path: str, answer: object) -> None:
    assert decide(path, FILES.__contains__, html, "none") == answer


@pytest.mark.parametrize(
    ("handling", "path", "answer"),
    [
        ("none", "/x", None),
        ("single-page-application", "/x/y", Serve("/index.html")),
        ("404-page", "/x/y", Serve("/404.html", 404)),
        ("404-page", "/blog/x/y", Serve("/blog/404.html", 404)),
    ],
)
def test_what_is_not_found(handling: NotFoundHandling, path: str, answer: object) -> None:
    assert decide(path, FILES.__contains__, "auto-trailing-slash", handling) == answer


names = st.sampled_from(["index", "about", "blog", "404", "a"])
endings = st.sampled_from(["", ".html", ".txt", "/", "/index", "/index.html", ".html.html"])
folders, kinds = st.sampled_from(["/", "/blog/"]), st.sampled_from([".html", ".txt", ""])
sites = st.sets(st.tuples(folders, names, kinds).map("".join))
asked = st.tuples(folders, names, endings).map("".join)


@given(sites, asked, st.sampled_from(MODES), st.sampled_from(MISSES))
def test_two_redirects_lead_to_a_file_and_no_further(
    files: set[str], path: str, html: HTMLHandling, not_found: NotFoundHandling
) -> None:
    answer = decide(path, files.__contains__, html, not_found)

    if isinstance(answer, Redirect):
        # `/index/` goes to `/index` and that to `/`, as on Cloudflare; nothing goes further.
        answer = decide(answer.to, files.__contains__, html, not_found)
    if isinstance(answer, Redirect):
        answer = decide(answer.to, files.__contains__, html, not_found)
        assert isinstance(answer, Serve)
    elif isinstance(answer, Serve):
        assert answer.file in files


@pytest.mark.parametrize(
    ("path", "text"),
    [("/%C3%A9", "/é"), ("/%E9", "/%E9"), ("/%2", "/%2"), ("//a///b", "/a/b"), ("/a%2Fb", "/a/b"), ("/a+b", "/a+b")],
)
def test_a_path_is_decoded_segment_by_segment(path: str, text: str) -> None:
    assert decode_path(path) == text


def test_a_path_is_encoded_as_javascript_does_it() -> None:
    assert encode_path("/é ü+(1)!*'~/@") == "/%C3%A9%20%C3%BC%2B(1)!*'~/%40"
