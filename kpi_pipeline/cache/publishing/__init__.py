"""The pipeline's side of the cache: writing, verifying, switching, keeping and removing generations."""
