"""The stylesheet of Access's pages, which stands in each page: a team domain has nothing else to load it from.

Colours have a contrast of at least 4.5 to 1 in light and dark (WCAG 2.2, 1.4.3); targets are 44 pixels high.
"""

import base64
import hashlib
from typing import Final

CSS: Final = """
:root {
  color-scheme: light dark;
  --ground: #eef1f6; --card: #fff; --ink: #171b24; --soft: #545c6b; --line: #d5dae3; --field: #7a8394;
  --accent: #1c4fa0; --accent-over: #153d7d; --on-accent: #fff; --tint: #e8effb;
  --danger: #a01d1d; --danger-tint: #fcefee; --mark: #92400e; --mark-tint: #fdf3e3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10131a; --card: #191d26; --ink: #eceff5; --soft: #aab2c0; --line: #333a47; --field: #838c9d;
    --accent: #9cc0ff; --accent-over: #c2d8ff; --on-accent: #0b1f42; --tint: #212c41;
    --danger: #ffb3ab; --danger-tint: #3b1e1d; --mark: #f3c27a; --mark-tint: #33280f;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html {
  font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  -webkit-text-size-adjust: 100%; text-size-adjust: 100%;
}
body {
  margin: 0; min-height: 100vh; min-height: 100svh; padding: 2rem 1rem;
  display: flex; flex-direction: column; align-items: center; justify-content: safe center; gap: 1rem;
  background: var(--ground); color: var(--ink); overflow-wrap: anywhere;
}
main {
  width: 100%; max-width: 28rem; padding: 2rem;
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  box-shadow: 0 1px 2px rgb(0 0 0 / .05), 0 10px 30px rgb(0 0 0 / .06);
}
.team { display: flex; align-items: center; gap: .5rem; margin: 0 0 1.5rem; color: var(--soft); font-size: .875rem; }
.team::before {
  content: ""; flex: none; width: .75rem; height: .75rem; border: 3px solid var(--accent); border-radius: 50%;
}
h1 { margin: 0 0 .5rem; font-size: 1.5rem; font-weight: 650; line-height: 1.25; text-wrap: balance; }
h2 { margin: 1.75rem 0 .625rem; font-size: 1rem; font-weight: 650; }
p { margin: 0 0 1rem; text-wrap: pretty; }
p:last-child { margin-bottom: 0; }
.lead { color: var(--soft); }
.lead strong { color: var(--ink); font-weight: 600; }
form { margin: 0; }
form + p { margin: 1rem 0 0; }
label { display: block; margin: 0 0 .25rem; font-weight: 600; font-size: .9375rem; }
.field { margin: 0 0 1rem; }
.hint { margin: 0 0 .375rem; color: var(--soft); font-size: .875rem; }
input:not([type="hidden"]), textarea {
  display: block; width: 100%; min-height: 2.75rem; padding: .5rem .75rem; font: inherit; color: var(--ink);
  background: var(--card); border: 1px solid var(--field); border-radius: .5rem;
}
input.code { font-variant-numeric: tabular-nums; letter-spacing: .3em; font-size: 1.25rem; }
input[aria-invalid="true"] { border-color: var(--danger); box-shadow: inset 0 0 0 1px var(--danger); }
button, .button {
  display: block; width: 100%; min-height: 2.75rem; padding: .5rem 1rem; font: inherit; font-weight: 600;
  text-align: center; text-decoration: none; color: var(--on-accent); background: var(--accent);
  border: 1px solid var(--accent); border-radius: .5rem; cursor: pointer;
}
button:hover, .button:hover { background: var(--accent-over); border-color: var(--accent-over); }
.choices { list-style: none; margin: 0; padding: 0; display: grid; gap: .5rem; }
.choices button, .choices .button {
  display: flex; align-items: center; gap: .75rem; text-align: left; font-weight: 400;
  color: var(--ink); background: transparent; border-color: var(--line);
}
.choices button:hover, .choices .button:hover { background: var(--tint); border-color: var(--accent); }
.who { min-width: 0; line-height: 1.35; }
.who b { display: block; font-weight: 600; }
.who small { display: block; color: var(--soft); font-size: .8125rem; }
.letter {
  flex: none; display: grid; place-items: center; width: 2.25rem; height: 2.25rem; border-radius: 50%;
  background: var(--tint); color: var(--accent); font-weight: 650;
}
details { margin: 1.25rem 0 0; border-top: 1px solid var(--line); padding-top: 1rem; }
summary { cursor: pointer; font-weight: 600; min-height: 1.5rem; }
details[open] summary { margin-bottom: .875rem; }
a { color: var(--accent); text-underline-offset: .15em; }
a:hover { color: var(--accent-over); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
:focus:not(:focus-visible) { outline: none; }
.alert {
  margin: 0 0 1.25rem; padding: .75rem 1rem; color: var(--danger); background: var(--danger-tint);
  border: 1px solid currentcolor; border-radius: .5rem;
}
.alert p { margin: 0; }
.local {
  max-width: 28rem; width: 100%; margin: 0; padding: .625rem 1rem; font-size: .8125rem; text-align: center;
  color: var(--mark); background: var(--mark-tint); border-radius: .5rem;
}
dl {
  margin: 1.25rem 0 0; font-size: .875rem;
  display: grid; grid-template-columns: max-content 1fr; gap: .25rem .75rem;
}
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .875em; }
@media (max-width: 30rem) {
  body { padding: 0; gap: 0; justify-content: flex-start; background: var(--card); }
  main { max-width: none; padding: 1.5rem 1.25rem; border: 0; border-radius: 0; box-shadow: none; }
  .local { border-radius: 0; max-width: none; }
}
@media (forced-colors: active) { button, .button, .letter { border: 1px solid; } }
"""

_HASH: Final = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode("ascii")
# No `form-action`: Chromium applies it to every redirect after a form, and a login ends wherever the application leads.
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'"
)
