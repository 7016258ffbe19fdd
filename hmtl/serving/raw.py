"""A prediction as the model decodes it, in the form that the 2018 demo calls `raw`."""

from typing import Any

from hmtl.formats.tags import spans_to_tags
from hmtl.prediction.results import Prediction, Relation


def raw_fields(prediction: Prediction) -> dict[str, Any]:
    """
    Return tags, columns and token indices. Each task's answer is a list of one, since the 2018 code decodes
    batches, and its demo reads a text as a batch of one sentence.

    # Returns

    fields : `dict[str, Any]`
        `text`, `tokenized_text` (the words of the tokens), and by the name of each task a list of one: the
        BIOUL tags of all tokens; or a column for each relation, with `ARG1_<type>` and `ARG2_<type>` at the
        last tokens of its arguments and `*` at all others; or the clusters, as lists of
        `[first token, last token]`, both inclusive; or the labels of all tokens, or
        `[head, label]` of each; or those of the sentences or
        the document.
    """
    tokens = [token.text for token in prediction.tokens]
    fields: dict[str, Any] = {"text": prediction.text, "tokenized_text": tokens}
    for task, mentions in prediction.mentions.items():
        spans = [(mention.type, (mention.begin_token, mention.end_token)) for mention in mentions]
        fields[task] = [spans_to_tags(spans, len(tokens), "BIOUL")]
    for task, relations in prediction.relations.items():
        fields[task] = [[_column(relation, len(tokens)) for relation in relations]]
    for task, clusters in prediction.clusters.items():
        fields[task] = [
            [[[span.begin_token, span.end_token] for span in cluster] for cluster in clusters]
        ]
    for task, labels in prediction.token_labels.items():
        fields[task] = [labels]
    for task, tree in prediction.trees.items():
        fields[task] = [[[each.head, each.type] for each in tree]]
    for task, labelled in prediction.text_labels.items():
        fields[task] = [[each.type for each in labelled]]
    return fields


def _column(relation: Relation, num_tokens: int) -> list[str]:
    column = ["*"] * num_tokens
    column[relation.arg1.end_token] = f"ARG1_{relation.type}"
    column[relation.arg2.end_token] = f"ARG2_{relation.type}"
    return column
