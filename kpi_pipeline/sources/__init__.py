"""Where certificates come from: mapping files, extraction, change detection, the chosen source."""
