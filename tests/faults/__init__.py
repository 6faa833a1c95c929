"""Faults that the services must survive: each a function that counts, small in tests and whole as a command."""
