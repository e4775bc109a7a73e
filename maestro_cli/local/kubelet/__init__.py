"""The process kubelet: a node whose pods are process groups on this machine.

Invariant: an ordinary client of the API, the same on the light cluster and on a real one; when it
dies, however it dies, its pods die with it.
"""
