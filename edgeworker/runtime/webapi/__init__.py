"""The classes of JavaScript that a script imports from `js`, as views of the core's messages or as plain values."""
