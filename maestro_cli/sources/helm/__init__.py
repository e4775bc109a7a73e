"""Helm: its records in the cluster, and its program."""

from maestro_cli.sources.helm.releases import HelmReleases

__all__ = ["HelmReleases"]
