"""The bundled model server: Open Inference Protocol v2 over HTTP, ONNX Runtime underneath.

Invariant: one process a replica, knows core alone. A request passes `server` (process, signals, drain) →
`application` (border) → `routes` and `endpoints` → `protocol` (codec) → `models` (which version answers) →
`execution` (the run), and `telemetry` tells what became of it.
"""
