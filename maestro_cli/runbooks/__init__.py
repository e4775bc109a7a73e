"""Markdown runbooks and YAML playbooks as durable runs."""
