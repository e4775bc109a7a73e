"""Canaries: a version that answers a share of the requests, and whether it may answer all of them."""
