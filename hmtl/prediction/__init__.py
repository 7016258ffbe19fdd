"""From a saved run to answers about texts."""
