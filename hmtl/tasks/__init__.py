"""Tasks as plain data: nothing here imports torch or AllenNLP."""
