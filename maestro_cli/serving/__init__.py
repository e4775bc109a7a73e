"""The bundled model server: Open Inference Protocol v2 over HTTP, ONNX Runtime underneath.

Invariant: one process a replica, knows core alone. A request runs through these modules in order:
`server` (process, signals, drain) → `application` (routes) → `messages` and `tensors` (codec) →
`repository` (which version answers) → `artefact` (the session) → `metrics` and `logs`.
"""
