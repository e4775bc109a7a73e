"""The SLA report: what was promised for a period, what was measured, and all it takes to recompute it."""
