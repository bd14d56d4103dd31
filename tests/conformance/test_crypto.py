"""WebCrypto as workerd answered it; recorded by record_crypto.mjs."""

import json
from pathlib import Path

import pytest

from edgeworker.runtime.webapi.crypto import Crypto, CryptoKey
from edgeworker.runtime.webapi.crypto.keys import CryptoKeyPair
from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.runtime.webapi.plain_objects import as_js

CASES = json.loads((Path(__file__).parent / "cases" / "crypto.json").read_text(encoding="utf-8"))["cases"]
# What is ours on purpose.
DIFFERENT = {
    # Production refuses what workerd alone carries out: https://developers.cloudflare.com/workers/runtime-apis/web-crypto/
    ("pbkdf2 too many", 1): {
        "error": "NotSupportedError",
        "message": "Pbkdf2 failed: iteration counts above 100000 are not supported (requested 200000).",
    },
}


def given(value: object, results: list[object]) -> object:
    match value:
        case str() if value.startswith("$"):
            return results[int(value[1:])]
        case {"hex": str(text)}:
            return bytes.fromhex(text)
        case dict():
            return {name: given(item, results) for name, item in value.items()}
        case list():
            return [given(item, results) for item in value]
        case _:
            return value


def described(key: CryptoKey) -> object:
    algorithm = {name: shown(item, plain=True) for name, item in key.algorithm.items()}
    return {
        "type": key.type,
        "extractable": key.extractable,
        "usages": sorted(key.allowed),
        "algorithm": algorithm,
    }


def shown(result: object, *, plain: bool = False) -> object:
    match result:
        case CryptoKey():
            return {"key": described(result)}
        case CryptoKeyPair():
            return {"publicKey": described(result.publicKey), "privateKey": described(result.privateKey)}
        case bytes() | bytearray():
            return {"hex": bytes(result).hex()}
        case _ if plain:
            return result
        case _:
            return {"value": result}


async def answered(steps: list[list[object]]) -> list[object]:
    results: list[object] = []
    answers: list[object] = []
    for method, *arguments in steps:
        call = getattr(Crypto().subtle, str(method))
        try:
            result = call(*(as_js(given(argument, results)) for argument in arguments))
            result = result if isinstance(result, bool) else await result
        except JsException as error:
            answers.append({"error": error.name, "message": error.message})
            results.append(b"")
        else:
            answers.append(shown(result))
            results.append(result)
    return answers


@pytest.mark.parametrize("name", CASES)
async def test_crypto_answers_as_workerd(name: str) -> None:
    case = CASES[name]
    expected = [DIFFERENT.get((name, number), answer) for number, answer in enumerate(case["answers"])]

    assert await answered(case["steps"]) == expected
