"""A page as files: Excel workbooks and CSV."""
