"""Cloudflare Access: who may reach an application, and the signed token that says who it is."""
