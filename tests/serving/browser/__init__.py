"""Pages in a real browser. A package of its own, so that its one browser ends with the last of its tests:
while it runs, nothing else could run an event loop.
"""
