"""The metrics exporter: what kube-state-metrics and cAdvisor would say of this cluster.

Invariant: names and labels are theirs, so that the same PromQL works on any cluster.
"""
