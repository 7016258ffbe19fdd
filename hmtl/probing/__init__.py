"""What the layers of a trained model know of a sentence: probing by SentEval's tasks and protocol."""
