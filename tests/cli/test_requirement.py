"""How a new project asks for edgeworker."""

import json

import pytest

from edgeworker.cli.requirement import own_requirement, requirement

GIT = {"url": "https://git.example/edgeworker", "vcs_info": {"vcs": "git", "commit_id": "0123abcd"}}


@pytest.mark.parametrize(
    ("direct_url", "asked"),
    [
        # https://packaging.python.org/en/latest/specifications/direct-url-data-structure/
        (None, "edgeworker>=0.1.0"),
        ({"url": "file:///home/ann/edge%20worker", "dir_info": {}}, "edgeworker @ file:///home/ann/edge%20worker"),
        ({"url": "file:///src/e", "dir_info": {"editable": True}}, "edgeworker @ file:///src/e"),
        (
            {"url": "file:///dl/e-0.1.0-py3-none-any.whl", "archive_info": {}},
            "edgeworker @ file:///dl/e-0.1.0-py3-none-any.whl",
        ),
        (GIT, "edgeworker @ git+https://git.example/edgeworker@0123abcd"),
        ({**GIT, "subdirectory": "py"}, "edgeworker @ git+https://git.example/edgeworker@0123abcd#subdirectory=py"),
    ],
    ids=["index", "folder", "editable folder", "wheel", "git", "git and a folder in it"],
)
def test_it_comes_from_where_this_one_came_from(direct_url: dict[str, object] | None, asked: str) -> None:
    assert requirement("0.1.0", None if direct_url is None else json.dumps(direct_url)) == asked


def test_the_edgeworker_of_these_tests_can_be_asked_for() -> None:
    asked = own_requirement()

    assert asked is not None
    assert asked.startswith("edgeworker")
