"""The types of the language, and the Python values that stand for them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Literal

Scalar = bytes | int | bool | IPv4Address | IPv6Address
Value = Scalar | Sequence["Value"] | Mapping[str, "Value"]

Kind = Literal["Bytes", "Int", "Bool", "Ip", "Array", "Map"]


@dataclass(frozen=True, slots=True)
class Type:
    """`of` is what an Array or a Map holds; the others hold nothing."""

    kind: Kind
    of: "Type | None" = None

    def __str__(self) -> str:
        return self.kind if self.of is None else f"{self.kind}<{self.of}>"


BYTES: Final = Type("Bytes")
INT: Final = Type("Int")
BOOL: Final = Type("Bool")
IP: Final = Type("Ip")
BYTES_ARRAY: Final = Type("Array", BYTES)
INT_ARRAY: Final = Type("Array", INT)
BOOL_ARRAY: Final = Type("Array", BOOL)
BYTES_ARRAYS: Final = Type("Array", BYTES_ARRAY)
BYTES_MAP: Final = Type("Map", BYTES_ARRAY)  # of texts under each name
INT_MAP: Final = Type("Map", INT_ARRAY)
COUNT_MAP: Final = Type("Map", INT)
