"""Who may read: people, tokens, sessions, and the log of what they did. Kept apart from the cache."""
