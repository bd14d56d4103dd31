import pytest

from edgeworker.runtime.webapi.ffi import JsDict, JsException, jsnull
from edgeworker.runtime.webapi.plain_objects import as_js


def test_a_js_object_has_its_keys_as_items_and_as_attributes() -> None:
    data = JsDict(name="x")
    data.size = 3

    assert data["name"] == data.name == "x"
    assert data == {"name": "x", "size": 3}
    assert data.object_entries() == [("name", "x"), ("size", 3)]
    with pytest.raises(AttributeError, match="missing"):
        _ = data.missing
    del data.size
    assert data.object_keys() == ["name"]
    assert data.object_values() == ["x"]
    with pytest.raises(AttributeError):
        del data.size


def test_a_key_that_is_a_method_of_dict_is_an_item_only() -> None:
    assert JsDict(items=1)["items"] == 1
    assert callable(JsDict(items=1).items)


def test_plain_data_becomes_js_objects_at_every_depth() -> None:
    value = as_js({"a": ({"b": 1},)})

    assert value == {"a": [{"b": 1}]}
    assert isinstance(value, JsDict)
    inner = value["a"]
    assert isinstance(inner, list)
    assert isinstance(inner[0], JsDict)


def test_an_exception_has_a_name_and_a_message() -> None:
    error = JsException("TypeError", "no")

    assert (error.name, error.message, str(error)) == ("TypeError", "no", "TypeError: no")
    assert error.js_error is error
    assert str(JsException("AbortError")) == "AbortError"


def test_null_is_false() -> None:
    assert not jsnull
    assert repr(jsnull) == "jsnull"
