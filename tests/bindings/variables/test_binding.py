import pytest

from edgeworker.bindings import Binding, JSONBinding, SecretBinding, TextBinding, describe_binding
from tests.runtime.stage import Stage


async def test_values_are_in_env_as_they_are(stage: Stage) -> None:
    text = await stage.run(
        "return Response(f'{self.env.T} {self.env.J.a[0]} {self.env.S}')",
        TextBinding("T", "text"),
        JSONBinding("J", {"a": [1]}),
        SecretBinding("S", "sesame"),
    )

    assert text == "text 1 sesame"


@pytest.mark.parametrize(
    ("binding", "shown"),
    [
        (TextBinding("T", "a\nb"), '"a\\nb"'),
        (TextBinding("T", "x" * 99), '"' + "x" * 58 + "…"),
        (JSONBinding("J", {"a": 1}), "{'a': 1}"),
        (SecretBinding("S", "sesame"), '"(hidden)"'),
    ],
)
def test_a_value_is_shown_in_one_line(binding: Binding, shown: str) -> None:
    assert describe_binding(binding) == ("Environment Variable", shown)
