"""The table of a connection's states, held to the theory beside it."""

from typing import get_args

import pytest

from edgeworker.server.http1.states import (
    BEGIN,
    CLOSE,
    CLOSED,
    DONE,
    END,
    HEAD_END,
    IDLE,
    NEXT,
    SWITCH,
    SWITCHED,
    Event,
    State,
)

STATES: tuple[State, ...] = get_args(State)
EVENTS: tuple[Event, ...] = (BEGIN, HEAD_END, END, NEXT, SWITCH, CLOSE)


def _after(*events: Event) -> State:
    state: State = IDLE
    for event in events:
        state = event[state]
    return state


def test_a_message_has_one_way_and_the_next_one_begins_where_it_began() -> None:
    assert _after(BEGIN, HEAD_END, END) == DONE
    assert _after(BEGIN, HEAD_END, END, NEXT) == IDLE


@pytest.mark.parametrize("state", STATES)
def test_every_state_can_be_reached_and_left_by_closing(state: State) -> None:
    assert state == IDLE or any(state in event.values() for event in EVENTS)
    assert CLOSE[state] == CLOSED


def test_nothing_comes_after_closing() -> None:
    assert [event for event in EVENTS if CLOSED in event] == [CLOSE]


def test_what_has_switched_never_speaks_http_again() -> None:
    assert [event for event in EVENTS if SWITCHED in event] == [CLOSE]


@pytest.mark.parametrize("state", [state for state in STATES if state != DONE])
def test_no_message_follows_one_that_is_not_done(state: State) -> None:
    assert state not in NEXT


@pytest.mark.parametrize("events", [(BEGIN, SWITCH), (BEGIN, HEAD_END, END, SWITCH)])
def test_protocols_are_switched_by_a_response_that_is_due_to_a_request_that_is_done(events: tuple[Event, ...]) -> None:
    assert _after(*events) == SWITCHED


@pytest.mark.parametrize("events", [(SWITCH,), (BEGIN, HEAD_END, SWITCH)])
def test_no_protocol_is_switched_before_or_within_a_message(events: tuple[Event, ...]) -> None:
    with pytest.raises(KeyError):
        _after(*events)
