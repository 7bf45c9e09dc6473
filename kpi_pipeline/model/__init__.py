"""The vocabulary: certificates, dimensions, filters and KPIs. No I/O."""
