"""The HTTP API described as an OpenAPI document, from the declarations of the model and of serving."""
