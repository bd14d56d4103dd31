"""`--help` of every command: it fits on its terminal, and has examples and groups."""

import argparse
from collections.abc import Iterator

import pytest

from edgeworker.cli import parser
from edgeworker.cli.commands import COMMANDS


def _commands(above: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield above
    for action in above._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in dict.fromkeys(action.choices.values()):
                yield from _commands(command)


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_sentences_are_wrapped_at_words(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))

    for command in _commands(parser()):
        examples = False
        for line in command.format_help().splitlines():
            examples = examples or line == "examples:"
            words = line.split()
            # A command that is copied stays one line, and a word that is longer than its column stays one word. So do
            # options that exclude each other, in argparse.
            assert len(line) <= min(columns, 100) or examples or len(words) <= 4 or "|" in words, line


@pytest.mark.parametrize("name", list(COMMANDS))
def test_each_command_says_what_it_does_and_has_examples(name: str) -> None:
    command = next(each for each in _commands(parser()) if each.prog == f"edgeworker {name}")

    assert command.description
    assert "\nexamples:\n  " in command.format_help()


def test_each_command_below_says_what_it_does() -> None:
    assert [command.prog for command in _commands(parser()) if not command.description] == []


def test_the_explanation_of_a_long_example_stands_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    shown = parser().format_help()

    assert "  edgeworker demo\n      see the whole split-token job, verified step by step\n" in shown


def test_options_of_dev_stand_in_groups() -> None:
    command = next(each for each in _commands(parser()) if each.prog == "edgeworker dev")

    groups = {group.title: len(group._group_actions) for group in command._action_groups}
    assert groups.pop("options") == 1  # --help
    assert set(groups) >= {"configuration", "where it listens", "KV REST API", "data and network", "cron and output"}
