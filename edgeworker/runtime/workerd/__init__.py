"""JavaScript workers in a child process: workerd, the runtime of Cloudflare Workers, if the user has it."""
