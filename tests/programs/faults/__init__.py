"""Faults that the services must survive: functions that count, small in tests and whole as commands."""
