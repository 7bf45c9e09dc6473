"""The profile of a single client or project for readers: its address, and its look-up."""
