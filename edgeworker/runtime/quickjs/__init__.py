"""The engine "embedded": JavaScript workers in QuickJS, in this process."""
