"""The demo of JavaScript workers: the tutorial's own worker beside the gateway in Python."""
