"""
HMTL: multi-task training of NER, mention detection, relations and coreference in one hierarchy.

The compatibility module comes before whatever of this package stands on AllenNLP. It imports nothing
heavy, and nothing heavy may be imported here.
"""

import hmtl.compat  # noqa: F401

__version__ = "1.0.0"
