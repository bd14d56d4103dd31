"""argparse, with what was probably meant beside what is not known."""

import argparse
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NoReturn

from edgeworker.cli.help import HelpFormatter
from edgeworker.cli.output import Output
from edgeworker.suggestions import did_you_mean

_UNKNOWN_CHOICE: Final = re.compile(
    r"argument (?P<what>.+?): invalid choice: '(?P<word>.*?)' \(choose from (?P<known>.*)\)"
)
_USED: Final = "used_parser"
_LEAST_BEGINNING: Final = 5  # of an option that another word begins with


if TYPE_CHECKING:
    _SubParsersAction = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    _SubParsersAction = argparse._SubParsersAction  # which can be subscripted by type checkers only


class _Commands(_SubParsersAction):
    """What the list of commands says about one is said on its own page too."""

    def add_parser(self, name: str, **keywords: object) -> argparse.ArgumentParser:
        keywords.setdefault("description", keywords.get("help"))
        return super().add_parser(name, **keywords)  # type: ignore[arg-type]  # argparse's own arguments


class CommandParser(argparse.ArgumentParser):
    """The parsers of subcommands are of this class too, because they are made by the one above them."""

    def __init__(self, *arguments: object, **keywords: object) -> None:
        keywords.setdefault("formatter_class", HelpFormatter)
        super().__init__(*arguments, **keywords)  # type: ignore[arg-type]  # argparse's own arguments, passed on
        self.register("action", "parsers", _Commands)
        self.set_defaults(**{_USED: self})  # that of the innermost command stays
        self._given: tuple[str, ...] = ()

    def add_subparsers(self, **keywords: object) -> _SubParsersAction:  # type: ignore[override]  # passed on
        keywords.setdefault("title", "commands")
        return super().add_subparsers(**keywords)  # type: ignore[call-overload,no-any-return]

    def parse_known_args(  # type: ignore[override]  # see parse_args
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        self._given = () if args is None else tuple(args)
        self._refuse_leading_option()
        return super().parse_known_args(args, namespace)

    def parse_args(  # type: ignore[override]  # the overloads for a namespace of one's own are not needed
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        options, unknown = self.parse_known_args(args, namespace)
        used = options.__dict__.pop(_USED, self)
        if unknown:
            assert isinstance(used, CommandParser)
            meant = used._suggest(unknown) or f". See {used.prog} --help"
            used.error(f"unrecognized arguments: {' '.join(unknown)}{meant}")
        return options

    def _refuse_leading_option(self) -> None:
        """Ends where an option of a command stands before it; argparse would complain about the option's value."""
        name = self._given[0].partition("=")[0] if self._given else ""
        is_own = any(option.startswith(name) for option in self._option_string_actions)
        named = [word for word in self._given if word in self._command_names()]
        if not name.strip("-") or name[0] != "-" or is_own or not named:
            return
        if meant := self._suggest([name]):
            self._refuse(f"unrecognized arguments: {name}{meant}")
        at = self._given.index(named[0])
        words = [named[0], *self._given[at + 1 :], *self._given[:at]] if len(named) == 1 else ["COMMAND", "..."]
        example = shlex.join([*self.prog.split(), *words])
        self._refuse(f"{name} stands before the command; options come after it: {example}")

    def _command_names(self) -> Iterable[str]:
        lists = [action.choices for action in self._actions if isinstance(action, _Commands)]
        return [name for names in lists for name in names]

    def error(self, message: str) -> NoReturn:
        found = _UNKNOWN_CHOICE.fullmatch(message)
        if found is None:
            is_missing = message.endswith(" required") or message.startswith("the following arguments are required")
            self._refuse(f"{message}{self._suggest(self._given)}" if is_missing else message)
        known = re.findall(r"[\w.:-]+", found["known"])
        meant = did_you_mean(found["word"], known, before="")
        there = "" if meant else "There are: " + ", ".join(f"'{each}'" for each in known) + "."
        self._refuse(f'{found["what"]}: "{found["word"]}" is not known. {meant}{there}')

    def _refuse(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        Output.for_stream(sys.stderr).prose(f"{self.prog}: error: {message}", hanging=2)
        self.exit(2)

    def _suggest(self, unknown: Sequence[str]) -> str:
        options = [name for action in self._actions for name in action.option_strings]
        for word in unknown:
            name = word.partition("=")[0]
            if not name.startswith("-") or name in options:
                continue
            if not name.startswith("--") and len(name) > 2:
                name = f"-{name}"
            if meant := did_you_mean(name, options, before=". "):
                return meant
            # A longer word for one: --environment is --env here.
            for option in options:
                if option.startswith("--") and len(option) >= _LEAST_BEGINNING and name.startswith(option):
                    return f'. Did you mean "{option}"?'
        return ""
