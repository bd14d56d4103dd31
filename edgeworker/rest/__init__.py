"""What an endpoint of the v4 REST API is made of: its call, its answers, errors and permissions."""
