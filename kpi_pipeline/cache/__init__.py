"""The contract between the pipeline, which publishes, and serving, which reads."""
