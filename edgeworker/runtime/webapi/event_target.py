"""`Event` and `EventTarget`. Source: https://dom.spec.whatwg.org/#events"""

from dataclasses import dataclass

from edgeworker.runtime.webapi.base import JsObject, options


class Event(JsObject):
    def __init__(self, kind: object, init: object = None, /, **keywords: object) -> None:
        given = options(init, keywords)
        self.type = str(kind)
        self.target: object = None
        self.currentTarget: object = None
        self.defaultPrevented = False
        self.cancelable = bool(given.get("cancelable"))
        self.detail = given.get("detail")
        self.stopped = False

    def preventDefault(self) -> None:
        self.defaultPrevented = self.cancelable

    def stopImmediatePropagation(self) -> None:
        self.stopped = True


@dataclass(frozen=True, slots=True)
class _Listener:
    """What is called for events of one kind, once or each time."""

    kind: str
    call: object
    is_once: bool


class EventTarget(JsObject):
    def __init__(self) -> None:
        self._listeners: list[_Listener] = []

    def addEventListener(self, kind: str, listener: object, init: object = None, /, **keywords: object) -> None:
        """The options `once` and `signal`; a listener that is there already is not added again."""
        given = options(None if isinstance(init, bool) else init, keywords)
        signal = given.get("signal")
        if isinstance(signal, EventTarget):
            if getattr(signal, "aborted", False):
                return
            signal.addEventListener("abort", lambda _event: self.removeEventListener(kind, listener))
        if all((known.kind, known.call) != (kind, listener) for known in self._listeners):
            self._listeners.append(_Listener(kind, listener, bool(given.get("once"))))

    def removeEventListener(self, kind: str, listener: object, _options: object = None) -> None:
        self._listeners = [known for known in self._listeners if (known.kind, known.call) != (kind, listener)]

    def dispatchEvent(self, event: Event) -> bool:
        """Raises what a listener raises, as workerd does."""
        event.target = event.currentTarget = self
        for listener in list(self._listeners):
            if event.stopped:
                break
            if listener.kind != event.type or listener not in self._listeners:
                continue
            if listener.is_once:
                self._listeners.remove(listener)
            handle = getattr(listener.call, "handleEvent", listener.call)
            if callable(handle):
                handle(event)
        return not event.defaultPrevented
