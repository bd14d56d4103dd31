"""Calls into a realm that have not been answered, by number."""

import asyncio

from edgeworker.runtime.quickjs.invocation import Answer, Invocation, ScriptResponse


class Calls:
    def __init__(self) -> None:
        self._open: dict[int, tuple[asyncio.Future[Answer], Invocation]] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    @property
    def are_done(self) -> bool:
        return all(future.done() for future, _ in self._open.values())

    def begin(self, number: int, invocation: Invocation) -> "asyncio.Future[Answer]":
        """Done with the answer; `end` it then."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._open[number] = future, invocation
        return future

    def end(self, number: int) -> None:
        self._open.pop(number, None)

    def is_waiting(self, number: int) -> bool:
        return number in self._open and not self._open[number][0].done()

    def respond(
        self,
        number: int,
        status: int,
        phrase: str,
        headers: str,
        automatic: bool,  # as rt/fetch.js sends it
        body: str | None,
        web_socket: str | None,
        buffer: bytes | None,
    ) -> None:
        """A script's answer to a request."""
        response = ScriptResponse(status, phrase, headers, automatic, body, web_socket, buffer)
        self.answer(number, Answer("", None, response))

    def answer(self, number: int, answer: Answer) -> None:
        call = self._open.get(number)
        if call is not None and not call[0].done():
            call[0].set_result(answer)

    def fail(self, number: int, error: BaseException) -> None:
        if self.is_waiting(number):
            self._open[number][0].set_exception(error)

    def fail_all(self, error: BaseException) -> None:
        for number in self._open:
            self.fail(number, error)

    def fail_those_of(self, invocation: Invocation, error: BaseException) -> None:
        for number, (_, caller) in self._open.items():
            if caller is invocation:
                self.fail(number, error)

    def fail_others_than(self, invocation: Invocation, error: BaseException) -> None:
        for number, (_, caller) in self._open.items():
            if caller is not invocation:
                self.fail(number, error)

    def caller_of(self, number: int) -> Invocation | None:
        return self._open[number][1] if number in self._open else None

    def has_others_than(self, invocation: Invocation) -> bool:
        """Whether it has calls, and another one has some too."""
        callers = [caller is invocation for _, caller in self._open.values()]
        return any(callers) and not all(callers)
