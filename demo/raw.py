"""A prediction as the model decodes it: tags and token indices, without characters or types of arguments."""

from typing import Any

from hmtl.formats.tags import spans_to_tags
from hmtl.prediction.results import Prediction


def raw_fields(prediction: Prediction) -> dict[str, Any]:
    """
    # Returns

    fields : `Dict[str, Any]`
        `text`, `tokenized_text`, and by the name of each task: a BIOUL tag per token; or relations as
        `[type, token, token]`; or clusters as lists of `[first token, last token]`, both inclusive.
    """
    tokens = [token.text for token in prediction.tokens]
    fields: dict[str, Any] = {"text": prediction.text, "tokenized_text": tokens}
    for task, mentions in prediction.mentions.items():
        spans = [(mention.type, (mention.begin_token, mention.end_token)) for mention in mentions]
        fields[task] = spans_to_tags(spans, len(tokens), "BIOUL")
    for task, relations in prediction.relations.items():
        fields[task] = [
            [relation.type, relation.arg1.end_token, relation.arg2.end_token]
            for relation in relations
        ]
    for task, clusters in prediction.clusters.items():
        fields[task] = [
            [[span.begin_token, span.end_token] for span in cluster] for cluster in clusters
        ]
    return fields
