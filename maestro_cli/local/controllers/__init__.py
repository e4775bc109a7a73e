"""The controllers of the light cluster: level-triggered loops over a plain API client.

Invariant: a controller reads its informers, compares with what should be, and writes the
difference; it can be killed between any two writes. Not for a cluster that has its own.
"""
