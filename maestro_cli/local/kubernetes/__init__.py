"""The real Kubernetes control plane: a Go module that is built once, and the processes made of it."""
