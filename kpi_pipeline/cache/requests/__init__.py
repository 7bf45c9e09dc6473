"""What readers request of the pipeline, and the runs that fulfil it."""
