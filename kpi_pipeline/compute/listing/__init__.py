"""The list of certificates: the rows of a shard as columns that serving can slice."""
