from edgeworker.runtime.contract.isolate import ScriptFailure


def test_a_failure_names_the_worker_and_the_kind_of_exception_only() -> None:
    failure = ScriptFailure("shop", ValueError("a secret"))

    assert str(failure) == "worker 'shop' raised ValueError"
    assert isinstance(failure.original, ValueError)
