"""Anomalies without rules: what is unusual for a service at this hour, and why it is said to be."""
