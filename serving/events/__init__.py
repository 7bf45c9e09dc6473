"""The events of open pages: which generations are live, sent when that changes.

A process of its own, since a connection stays open for as long as its page does: each would take a thread of
the web server.
"""
