"""What an edge counts, joined over its processes, and how it is told to Prometheus and to people."""
