"""The bundled model server. Invariant: its own process, knows core alone."""
