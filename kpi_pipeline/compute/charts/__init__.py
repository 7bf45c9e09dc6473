"""Chart specifications and pictures for people outside the page."""
