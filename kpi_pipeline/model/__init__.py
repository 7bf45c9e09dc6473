"""What the words mean: certificates, dimensions, filters and KPIs. No I/O."""
