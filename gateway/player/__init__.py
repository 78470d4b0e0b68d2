"""Plays recorded messages once more: reads them, sends them when they are due, and keeps how far it has come."""
