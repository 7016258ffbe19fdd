"""The hierarchy of encoders, and the model."""
