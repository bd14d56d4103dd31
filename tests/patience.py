"""How long a test waits for what must come. A machine may be ten times slower than usual, so nothing waits for less; a
test that asserts that something does *not* come within a moment has that moment (less than a second) itself."""

from typing import Final

PATIENCE_SECONDS: Final = 120.0
