"""What is wrong in a TOML file that somebody writes: where, what was found, what is allowed."""
