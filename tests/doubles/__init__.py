"""Stand-ins and rigs: what tests and programs put around the code, or in its place."""
