"""The recorded WebCrypto cases, asked by a JavaScript worker of the embedded engine."""

import json
from pathlib import Path

from edgeworker.messages import URL, Body, Request
from tests.conformance.test_crypto import CASES, DIFFERENT
from tests.runtime.engines.stage import staged

# As record_crypto.mjs asks.
WORKER = r"""
const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const plain = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value)
  ? { hex: hex(value.buffer ?? value) }
  : value !== null && typeof value === "object" && !Array.isArray(value)
  ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)])) : value;
const key = ({ type, extractable, usages, algorithm }) => ({ type, extractable, usages: [...usages].sort(),
  algorithm: plain(algorithm) });
const shown = (r) => r instanceof CryptoKey ? { key: key(r) }
  : r?.publicKey ? { publicKey: key(r.publicKey), privateKey: key(r.privateKey) }
  : r instanceof ArrayBuffer ? { hex: hex(r) } : { value: r };
const given = (value, results) => typeof value === "string" && value.startsWith("$") ? results[Number(value.slice(1))]
  : value?.hex !== undefined ? Uint8Array.from(value.hex.match(/../g) ?? [], (byte) => parseInt(byte, 16))
  : Array.isArray(value) ? value.map((item) => given(item, results))
  : value !== null && typeof value === "object"
  ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, given(item, results)])) : value;
export default { async fetch(request) {
  const results = [], out = [];
  for (const [method, ...values] of await request.json()) {
    try {
      const result = await crypto.subtle[method](...values.map((value) => given(value, results)));
      results.push(result);
      out.push(shown(result));
    } catch (error) {
      results.push(new Uint8Array());
      out.push({ error: error.name, message: error.message });
    }
  }
  return Response.json(out);
} };
"""


async def test_crypto_in_javascript_answers_as_workerd(tmp_path: Path) -> None:
    different: dict[str, object] = {}
    async with staged("embedded", tmp_path, WORKER) as stage:
        for name, case in CASES.items():
            request = Request("POST", URL.parse("http://x.test/"), body=Body(json.dumps(case["steps"]).encode()))
            response = await stage.send(request)
            assert response.body is not None
            answers = json.loads(await response.body.read())
            expected = [DIFFERENT.get((name, number), answer) for number, answer in enumerate(case["answers"])]
            if answers != expected:
                different[name] = [pair for pair in zip(answers, expected, strict=True) if pair[0] != pair[1]]

    assert different == {}
