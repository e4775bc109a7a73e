"""What Prometheus records of objectives, what it alerts on, and what is loaded against what should be."""
