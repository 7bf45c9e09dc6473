"""The processes of one machine: what they are, how they are supervised and how to reach them."""
