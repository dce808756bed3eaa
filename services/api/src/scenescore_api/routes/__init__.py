"""HTTP in, HTTP out: each route calls one method of the service."""
