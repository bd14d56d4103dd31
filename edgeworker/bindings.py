"""One maker for each kind of binding; together they build a worker's env."""
