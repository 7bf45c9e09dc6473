"""The list of certificates for readers: its parameters, and the look-up of a selection of it."""
