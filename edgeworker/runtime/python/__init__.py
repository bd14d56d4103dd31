"""Python scripts: loading them, their modules, their entrypoints, and the watchdog over them."""
