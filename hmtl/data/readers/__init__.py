"""Stands on AllenNLP, so the compatibility module is imported before anything here."""

import hmtl.compat  # noqa: F401
