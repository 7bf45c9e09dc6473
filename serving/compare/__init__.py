"""Values of a dimension side by side for readers: the parameters, and the look-up of each."""
