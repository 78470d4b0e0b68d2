"""Migrations of the outages, in order."""
