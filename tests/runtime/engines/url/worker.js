// Answers with what is wrong of the cases that it is sent.
const PARTS = ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];
export default { async fetch(request) {
  const { cases, setters } = await request.json();
  const wrong = [];
  for (const expected of cases) {
    const { input, base, failure } = expected;
    const url = URL.parse(input, base ?? undefined);
    if (URL.canParse(input, base ?? undefined) !== (url !== null)) wrong.push([input, base, "canParse"]);
    if (failure || url === null) {
      if (!failure || url !== null) wrong.push([input, base, url && url.href]);
      continue;
    }
    for (const part of PARTS) if (part in expected && url[part] !== expected[part]) wrong.push([input, base, part, url[part], expected[part]]);
    if (new URL(url.href).href !== url.href) wrong.push([input, base, "is not read back as it is written"]);
    if (expected.searchParams !== undefined && String(url.searchParams) !== expected.searchParams) wrong.push([input, base, "searchParams"]);
  }
  for (const [part, changes] of Object.entries(setters)) {
    for (const { href, new_value, expected } of changes) {
      const url = new URL(href);
      url[part] = new_value;
      for (const [name, value] of Object.entries(expected)) if (url[name] !== value) wrong.push([href, part, new_value, name, url[name], value]);
    }
  }
  return Response.json(wrong);
} };
