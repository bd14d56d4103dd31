"""What the module `workers` holds, as Cloudflare's Python SDK has it (workers-runtime-sdk 1.9.5)."""
