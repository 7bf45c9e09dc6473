"""The processes of one machine: what they are, how they are kept alive and how they are asked."""
