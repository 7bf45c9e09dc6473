"""Where certificates come from: mapping files, extraction, the active source, the demo."""
