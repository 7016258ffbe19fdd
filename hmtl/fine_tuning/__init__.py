"""Going on from a trained model: other data, other labels, other tasks."""
