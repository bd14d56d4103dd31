"""The stylesheet of the auth worker's pages. It loads nothing, neither fonts nor pictures.

Colours are chosen for a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3), and targets are at least 44 pixels high.
"""

import base64
import hashlib
from typing import Final

CSS: Final = """\
:root {
  color-scheme: light dark;
  --ground: #f3f2ee;
  --card: #ffffff;
  --ink: #1c1b19;
  --soft: #5a5751;
  --line: #d8d4cc;
  --field: #85807a;
  --accent: #0b5559;
  --accent-over: #083f42;
  --on-accent: #ffffff;
  --tint: #e7f0ef;
  --danger: #9c1f1a;
  --danger-tint: #fbeeec;
}

@media (prefers-color-scheme: dark) {
  :root {
    --ground: #131414;
    --card: #1c1e1e;
    --ink: #eeece7;
    --soft: #b0aca4;
    --line: #383b3b;
    --field: #8a8780;
    --accent: #7fd0ce;
    --accent-over: #a3e0de;
    --on-accent: #062a2b;
    --tint: #1f302f;
    --danger: #ffb4a9;
    --danger-tint: #3a1f1c;
  }
}

*, *::before, *::after { box-sizing: border-box; }

html {
  font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  -webkit-text-size-adjust: 100%;
  text-size-adjust: 100%;
}

body {
  margin: 0;
  min-height: 100vh;
  min-height: 100svh;
  display: flex;
  flex-direction: column;
  align-items: center;
  justify-content: safe center;
  gap: 1.25rem;
  padding: 2rem 1rem;
  background: var(--ground);
  color: var(--ink);
  overflow-wrap: anywhere;
}

main {
  width: 100%;
  max-width: 27rem;
  padding: 2rem;
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 0.75rem;
  box-shadow: 0 1px 2px rgb(0 0 0 / 0.04), 0 8px 24px rgb(0 0 0 / 0.05);
}

.issuer {
  display: flex;
  align-items: center;
  gap: 0.5rem;
  margin: 0 0 1.5rem;
  color: var(--soft);
  font-size: 0.875rem;
}

.issuer::before {
  content: "";
  flex: none;
  width: 0.625rem;
  height: 0.625rem;
  border-radius: 50%;
  background: var(--accent);
}

h1 {
  margin: 0 0 0.5rem;
  font-size: 1.5rem;
  font-weight: 650;
  line-height: 1.25;
  letter-spacing: -0.011em;
  text-wrap: balance;
}

h1 + :not(.lead) { margin-top: 1.25rem; }

h2 { margin: 1.5rem 0 0.5rem; font-size: 1rem; font-weight: 650; }

p { margin: 0 0 1rem; text-wrap: pretty; }
p:last-child { margin-bottom: 0; }

.lead { color: var(--soft); margin-bottom: 1.5rem; }
.lead strong, .note strong { color: var(--ink); font-weight: 600; }

form { margin: 0; }

label, .label { display: block; margin: 0 0 0.25rem; font-weight: 600; font-size: 0.9375rem; }

.field { margin: 0 0 1.125rem; }
.hint { margin: 0 0 0.375rem; color: var(--soft); font-size: 0.875rem; }

input:not([type="checkbox"]):not([type="hidden"]) {
  display: block;
  width: 100%;
  min-height: 2.75rem;
  padding: 0.5rem 0.75rem;
  font: inherit;
  color: var(--ink);
  background: var(--card);
  border: 1px solid var(--field);
  border-radius: 0.5rem;
}

input[aria-invalid="true"]:not([type="checkbox"]) {
  border-color: var(--danger);
  box-shadow: inset 0 0 0 1px var(--danger);
}

.check { display: flex; gap: 0.75rem; align-items: flex-start; margin: 0 0 1.25rem; }
.check label { margin: 0; font-weight: 400; }
.check input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0.125rem 0 0; accent-color: var(--accent); }

button, .button {
  display: block;
  width: 100%;
  min-height: 2.75rem;
  padding: 0.5rem 1.25rem;
  font: inherit;
  font-weight: 600;
  text-align: center;
  text-decoration: none;
  text-wrap: balance;
  color: var(--on-accent);
  background: var(--accent);
  border: 1px solid var(--accent);
  border-radius: 0.5rem;
  cursor: pointer;
}

button:hover, .button:hover { background: var(--accent-over); border-color: var(--accent-over); }

button.quiet { color: var(--ink); background: transparent; border-color: var(--field); }
button.quiet:hover { background: var(--tint); border-color: var(--accent); }

a { color: var(--accent); text-underline-offset: 0.15em; }
a:hover { color: var(--accent-over); }

:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
:focus:not(:focus-visible) { outline: none; }

.choices { display: grid; gap: 0.75rem; margin-top: 1.5rem; }

.account {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.5rem 0.75rem;
  margin: 0 0 1.5rem;
  padding: 0.75rem;
  border: 1px solid var(--line);
  border-radius: 0.5rem;
}

.account .who { flex: 1 1 9rem; min-width: 0; line-height: 1.35; }
.account .who span { display: block; color: var(--soft); font-size: 0.875rem; }
.account a { font-size: 0.875rem; }

.mark {
  flex: none;
  display: grid;
  place-items: center;
  width: 2.5rem;
  height: 2.5rem;
  border-radius: 50%;
  background: var(--tint);
  color: var(--accent);
  font-weight: 650;
}

.places { margin: 0; padding-left: 1.25rem; }

.permissions { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
.permissions li { display: flex; gap: 0.75rem; padding: 0.625rem 0; border-bottom: 1px solid var(--line); }

.permissions li::before {
  content: "";
  flex: none;
  width: 0.375rem;
  height: 0.6875rem;
  margin: 0.3125rem 0.125rem 0 0.25rem;
  border: solid var(--accent);
  border-width: 0 2px 2px 0;
  transform: rotate(40deg);
}

.permissions span { min-width: 0; }

code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 0.875em; }

.note { margin: 1.25rem 0 0; color: var(--soft); font-size: 0.875rem; }

.alert {
  margin: 0 0 1.5rem;
  padding: 0.875rem 1rem;
  color: var(--danger);
  background: var(--danger-tint);
  border: 1px solid currentcolor;
  border-radius: 0.5rem;
}

.alert h2 { margin: 0 0 0.25rem; }
.alert p { margin: 0; }
.alert ul { margin: 0; padding-left: 1.25rem; }
.alert a { color: inherit; }

.details {
  margin: 1.5rem 0 0;
  padding: 0.875rem 1rem;
  background: var(--ground);
  border-radius: 0.5rem;
  font-size: 0.875rem;
}
.details p { margin: 0; color: var(--soft); }

@media (max-width: 30rem) {
  body { padding: 0; gap: 0; justify-content: flex-start; background: var(--card); }
  main { max-width: none; padding: 1.5rem 1.25rem; border: 0; border-radius: 0; box-shadow: none; }
  h1 { font-size: 1.375rem; }
}

@media (forced-colors: active) {
  button, .button, .mark { border: 1px solid; }
  .issuer::before { background: CanvasText; }
}
"""

# In the URL, so that a changed one is another one.
VERSION: Final = base64.urlsafe_b64encode(hashlib.sha256(CSS.encode()).digest()[:9]).decode("ascii")
