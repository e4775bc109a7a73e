"""Cost views of a context: its Prometheus, its prices, its journal."""
