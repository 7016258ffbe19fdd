"""Pure counters: they are updated with plain Python data and know neither torch nor AllenNLP."""
