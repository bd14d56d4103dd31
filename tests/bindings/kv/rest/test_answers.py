from typing import get_args

import pytest

from edgeworker.bindings.kv.rest.answers import kv_errors
from edgeworker.errors import KVError, KVRule
from edgeworker.rest.errors import ApiError


@pytest.mark.parametrize("rule", get_args(KVRule))
def test_every_rule_of_kv_has_a_code_and_kvs_wording(rule: KVRule) -> None:
    with pytest.raises(ApiError, match=r"^put: 'the text'$") as refused, kv_errors("put"):
        raise KVError("the text", status=400, rule=rule)

    assert 400 <= refused.value.status < 500
    assert refused.value.code >= 10_000
