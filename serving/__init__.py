"""The thin reader: manifest, bytes, client. It never computes and never sees the source."""
