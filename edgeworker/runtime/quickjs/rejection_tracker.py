"""Promises that are rejected while nothing handles them, as QuickJS tells its host by its C API.

The Python package does not show that part of it, but exports the functions (on Linux and macOS; elsewhere nothing is
tracked). What is read here of its objects is as in quickjs-bindings 0.1.1, the only version that the extra allows.
Source: JS_SetHostPromiseRejectionTracker in quickjs.h.
"""

import ctypes
from collections.abc import Callable
from typing import ClassVar, Final

_TAG_BOOL: Final = 1
_TAG_UNDEFINED: Final = 3
_TAG_EXCEPTION: Final = 6


class _JSValue(ctypes.Structure):
    _fields_: ClassVar = [("payload", ctypes.c_int64), ("tag", ctypes.c_int64)]


_Callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, _JSValue, _JSValue, ctypes.c_ubyte, ctypes.c_void_p)


def _first_field_of(value: object) -> int:
    """The address of what follows the head of a Python object."""
    return id(value) + object.__basicsize__


class RejectionTracker:
    """Calls a function of the realm with the promise, its reason, and whether something handles it by now: `false` when
    it is rejected, `true` when a handler comes after that.

    `has_news`: it was called. The function must not throw.
    """

    def __init__(self, library: str, runtime: object, function: object, is_stopped: Callable[[], bool]) -> None:
        """`library` is the file of the extension module, `runtime` its Runtime, `function` a Value. Nothing is called
        while the engine `is_stopped`. Raises AttributeError or OSError where the library does not export what it needs.
        """
        self.has_news = False
        self._is_stopped = is_stopped
        self._function = function  # for as long as its value is used
        self._value = _JSValue.from_address(_first_field_of(function))
        exported = ctypes.PyDLL(library)
        self._call = exported.JS_Call
        self._call.restype = _JSValue
        self._call.argtypes = [ctypes.c_void_p, _JSValue, _JSValue, ctypes.c_int, ctypes.c_void_p]
        self._take_exception = exported.JS_GetException
        self._take_exception.restype = _JSValue
        self._take_exception.argtypes = [ctypes.c_void_p]
        self._free = exported.__getattr__("__JS_FreeValue")
        self._free.restype = None
        self._free.argtypes = [ctypes.c_void_p, _JSValue]
        self._set = exported.JS_SetHostPromiseRejectionTracker
        self._set.restype = None
        self._set.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        self._runtime = ctypes.c_void_p.from_address(_first_field_of(runtime)).value
        self._callback = _Callback(self._track)
        self._set(self._runtime, ctypes.cast(self._callback, ctypes.c_void_p), None)

    def close(self) -> None:
        self._set(self._runtime, None, None)

    def _track(self, context: int, promise: _JSValue, reason: _JSValue, is_handled: int, _opaque: int | None) -> None:
        if self._is_stopped():
            return
        self.has_news = True
        arguments = (_JSValue * 3)(promise, reason, _JSValue(1 if is_handled else 0, _TAG_BOOL))
        made = self._call(context, self._value, _JSValue(0, _TAG_UNDEFINED), 3, arguments)
        if made.tag == _TAG_EXCEPTION:  # no stack or memory was left to call it
            self._drop(context, self._take_exception(context))

    def _drop(self, context: int, value: _JSValue) -> None:
        if value.tag >= 0:
            return
        count = ctypes.c_int.from_address(value.payload)  # the first field of whatever is counted
        count.value -= 1
        if count.value <= 0:
            self._free(context, value)
