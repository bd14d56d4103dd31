"""All rows; see kv_row.py."""

from typing import Final

from tests.conformance.kv_row import Row
from tests.conformance.kv_rows_rest import LIMITS, PYTHON, REST_CALLS
from tests.conformance.kv_rows_script import CALLS

ROWS: Final[tuple[Row, ...]] = (*LIMITS, *CALLS, *PYTHON, *REST_CALLS)
