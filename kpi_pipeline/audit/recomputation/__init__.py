"""Every published figure computed a second time, the simple way: row by row, from the certificates.

It shares no code with `compute`: it rests on the terms of the domain and on the shapes of the payloads alone.
So whoever changes a definition changes it twice, and a mistake in one of the two shows.
"""
