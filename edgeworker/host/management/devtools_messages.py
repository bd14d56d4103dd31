"""Messages between DevTools and workerd, and the few that are changed on their way. Pure.

Source: https://chromedevtools.github.io/devtools-protocol/v8/Runtime/
"""

import json
from typing import Final

from edgeworker.runtime.workerd.console import CONSOLE_MARK

_EVALUATIONS: Final = {"Runtime.evaluate": "contextId", "Runtime.compileScript": "executionContextId"}
_CONTEXTS: Final = ("contextId", "uniqueContextId", "executionContextId")
_MARK_IN_JSON: Final = json.dumps(CONSOLE_MARK)[1:-1]


class DevToolsMessages:
    """Of one session. A message that cannot be read goes on as it came."""

    def __init__(self) -> None:
        self._context: object = None

    def for_child(self, text: str) -> str:
        """An expression without a context is evaluated in the worker's: workerd names none as the default."""
        if self._context is None or not any(method in text for method in _EVALUATIONS):
            return text
        message = _read(text)
        name = _EVALUATIONS.get(str(message.get("method")))
        params = message.get("params")
        if name is None or not isinstance(params, dict) or any(one in params for one in _CONTEXTS):
            return text
        return json.dumps({**message, "params": {**params, name: self._context}})

    def for_devtools(self, text: str) -> str:
        """Without the mark by which the edge knows whose console it was."""
        if _MARK_IN_JSON not in text and "Runtime.executionContextCreated" not in text:
            return text
        message = _read(text)
        params = message.get("params")
        match message.get("method"), params:
            case "Runtime.executionContextCreated", {"context": {"id": id}}:
                self._context = id
            case "Runtime.consoleAPICalled", {"args": [{"value": str(mark)}, *args], **rest} if mark.startswith(
                CONSOLE_MARK
            ):
                return json.dumps({**message, "params": {**rest, "args": args}})
            case _:
                pass
        return text


def _read(text: str) -> dict[str, object]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
