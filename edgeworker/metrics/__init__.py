"""What an edge counts, joined over its processes, and its text for Prometheus and for people."""
