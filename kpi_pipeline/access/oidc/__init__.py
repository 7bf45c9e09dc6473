"""The client of an identity provider (OpenID Connect). Nothing of it is loaded where none is set."""
