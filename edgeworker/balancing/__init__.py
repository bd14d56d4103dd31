"""Several origins for one host: how they are configured, which are healthy, and which one a request goes to."""
