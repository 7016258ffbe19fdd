"""Annotated documents as other tools read them: CoNLL columns, brat standoff, DyGIE++ JSON lines."""
