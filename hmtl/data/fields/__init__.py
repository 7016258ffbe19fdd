"""Fields of instances that AllenNLP has no like of."""
