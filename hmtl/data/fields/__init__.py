"""Fields of instances that AllenNLP has no like of."""

import hmtl.compat  # noqa: F401
