"""What every script language has in common: the isolate, the worker around it, its env, and the current invocation."""
