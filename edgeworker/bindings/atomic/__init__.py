"""What must happen exactly once: the service of scripts/atomic."""
