"""
From a corpus as it is published to what the readers take: `script/prepare_data.py FORMAT IN OUT`.

A format is a module named in `hmtl.data_import.registry.FORMATS`. It offers

- a docstring, whose first paragraph is the format's help;
- `add_arguments(parser)`: its options, beyond `source`, `target` and `--force`, which the front gives all;
- `run(arguments) -> Tally`: reads `arguments.source`, writes the directory `arguments.target`, and returns
  what the summary table shows.

It cuts text with `hmtl.data_import.tokenization`, fills `hmtl.data_import.documents.Document`, counts what
never gets into one in a `hmtl.data_import.tally.Tally`, and ends with
`hmtl.data_import.corpus_writer.write_corpus`, which splits the documents (`hmtl.data_import.splits`),
resolves what the columns cannot hold (`hmtl.data_import.resolution` states the rules), and writes them in a
layout (`hmtl.data_import.layouts`). Importing such a module is cheap: spaCy is imported inside `run`.
"""
