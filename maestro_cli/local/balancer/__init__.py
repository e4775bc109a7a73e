"""The load balancer: one TCP proxy a Service port, following its EndpointSlices.

Invariant: a new connection goes only to an endpoint that is ready (or, when none is, to one that
still serves while it ends); an established one is closed only while it is idle, or when its
endpoint is gone.
"""
