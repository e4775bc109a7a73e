"""A Kubernetes cluster: the `kubernetes` package for kubeconfig and credentials, httpx for the calls."""

from maestro_cli.sources.kube.cluster import KubeCluster

__all__ = ["KubeCluster"]
