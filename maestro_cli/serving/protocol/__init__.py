"""The Open Inference Protocol v2 on the wire: HTTP, JSON, tensors.

Invariant: what arrives is hostile and bounded, what leaves is complete; knows nothing of models in memory.
"""
