"""
What the layers of a trained model know of a sentence: probing by SentEval's tasks and protocol.

Its modules stand on AllenNLP where they hold a model, so the compatibility module is imported here.
"""

import hmtl.compat  # noqa: F401
