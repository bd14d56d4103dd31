"""What an audit says. Pure."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is the case, `where` it stands, `why` it would be regretted, and what would be `right`. `rule` names the
    kind of finding, for programs. None of the texts holds a secret."""

    severity: Severity
    rule: str
    where: str
    what: str
    why: str
    right: str
