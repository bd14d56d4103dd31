"""The states of an HTTP/1.1 connection and all of their transitions, as a table. Pure.

A connection carries one exchange at a time: one message in each direction. The same table is used for both directions
and on both sides of the edge:

    incoming    what the other end sends: a client's request, or an origin's response
    outgoing    what we send: the response to a client, or the request to an origin

                 BEGIN           HEAD_END           END
        IDLE ─────────────► HEAD ────────► BODY ────────► DONE
          ▲                   │                            │ │
          │                   └──────── SWITCH ──► SWITCHED ◄┘
          └──────────────────────── NEXT ──────────────────┘      and from every state: CLOSE ──► CLOSED

HEAD: the message is due, or its head has begun. Towards a client the response is due once the head of the request was
read; towards an origin it is due once the head of the request was written. So the two messages overlap, and a response
may be DONE before its request is.

NEXT happens in both directions together, and only from DONE: no byte of the next message is read or written before.
A response that is DONE before its request, or a message whose end is the end of the connection, ends the connection.

SWITCHED (101): the bytes are not HTTP any more. CLOSED: incoming cannot be read as HTTP any more, or outgoing sends
nothing more; the transport may stay open for a while, to deliver the last bytes.

What limits the time that a connection may stay in a pair of states (incoming, outgoing):

    towards a client   IDLE, IDLE     keepalive_timeout_seconds (write_timeout_seconds while bytes are not taken)
                       HEAD, IDLE     header_timeout_seconds
                       *, HEAD/BODY   the body's rate and write_timeout_seconds; half_closed_seconds after its end
                       *, CLOSED      a second for each look at whether the last bytes were taken
    towards an origin  IDLE, IDLE     the pool's limit, or what the origin's Keep-Alive says
                       HEAD/BODY, *   response_timeout_seconds without a byte in either direction
    both               SWITCHED       write_timeout_seconds for a client that takes nothing

Sources: https://www.rfc-editor.org/rfc/rfc9112#section-9; the idea is h11's (https://h11.readthedocs.io).
"""

from typing import Final, Literal

# Strings, because comparing and hashing an Enum's members costs many times more.
State = Literal["idle", "head", "body", "done", "switched", "closed"]
# The states in which it may happen, each with the one that follows. In any other it is a bug, and raises KeyError. One
# mapping for each event: to look up a pair of state and event would make a tuple, sixteen times a request.
Event = dict[State, State]

IDLE: Final = "idle"
HEAD: Final = "head"
BODY: Final = "body"
DONE: Final = "done"
SWITCHED: Final = "switched"
CLOSED: Final = "closed"

BEGIN: Final[Event] = {IDLE: HEAD}
HEAD_END: Final[Event] = {HEAD: BODY}
END: Final[Event] = {BODY: DONE}
NEXT: Final[Event] = {DONE: IDLE}
SWITCH: Final[Event] = {HEAD: SWITCHED, DONE: SWITCHED}
CLOSE: Final[Event] = {
    IDLE: CLOSED,
    HEAD: CLOSED,
    BODY: CLOSED,
    DONE: CLOSED,
    SWITCHED: CLOSED,
    CLOSED: CLOSED,
}
