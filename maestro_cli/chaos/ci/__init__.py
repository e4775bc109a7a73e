"""What a pipeline is told about experiments: one decision, and the files that its tools read."""
