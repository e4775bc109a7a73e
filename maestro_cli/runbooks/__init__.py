"""Markdown runbooks and YAML playbooks, and the durable runs of them."""
