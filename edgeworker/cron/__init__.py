"""Cron triggers: what an expression means, and firing what is due."""
