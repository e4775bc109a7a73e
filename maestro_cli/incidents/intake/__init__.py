"""Alerts in, incidents out."""
