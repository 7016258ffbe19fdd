"""
From a corpus as it is published to what the readers take: `hmtl import FORMAT IN OUT`.

A format is a module named in `hmtl.importing.registry.FORMATS`. It offers

- a docstring, whose first paragraph is the format's help;
- `add_arguments(parser)`: its options, beyond `source`, `target` and `--force`, which the front gives all;
- `run(arguments) -> Tally`: reads `arguments.source`, writes the directory `arguments.target`, and returns
  what the summary table shows.

It fills `hmtl.formats.annotated.Document` (from annotations by characters of a text by
`hmtl.importing.standoff`, which cuts it with `hmtl.importing.tokenization`), counts what never gets into one
in a `hmtl.importing.tally.Tally`, and ends with
`hmtl.importing.corpus_writer.write_corpus`, which splits the documents (`hmtl.importing.splits`),
resolves what the columns cannot hold (`hmtl.importing.resolution` states the rules), and writes them in a
layout (`hmtl.importing.layouts`). Importing such a module is cheap: spaCy is imported inside `run`.
"""
