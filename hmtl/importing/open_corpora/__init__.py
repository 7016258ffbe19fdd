"""
The open corpora, from their sources: GUM and OntoGUM for names and coreference, Re-DocRED for mentions,
relations and coreference. `fetching` brings the sources, `gum` and `redocred` convert them, `command` does
both.

The sources lie in one folder: `gum/dep/`, `gum/const/`, `gum/ontogum/`, `gum/splits.md`,
`redocred/dev_revised.json` and `redocred/test_revised.json`. `SHA256SUMS` lists them, so that
`sha256sum --check` can be run there.
"""
