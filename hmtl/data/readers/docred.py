"""Documents with entities and relations between these."""

import logging
from collections import Counter
from os import PathLike
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union, cast

from allennlp.data import DatasetReader, Instance, TokenIndexer
from allennlp.data.fields import Field, MetadataField, SequenceLabelField, TextField

from hmtl.data.fields.labelled_pairs_field import EntityPairsField
from hmtl.data.fields.spans_field import SpansField
from hmtl.data.readers.corpus_reader import INSTANCES, CorpusReader
from hmtl.formats.brackets import LabelledSpan
from hmtl.formats.docred import SUFFIX, read_documents
from hmtl.formats.files import documents_in

logger = logging.getLogger(__name__)


@DatasetReader.register("docred")
class DocredReader(CorpusReader):
    """
    Whole documents of DocRED or Re-DocRED, or what `hmtl import ... --to docred` wrote: a `.json` file, or
    all of a directory tree.

    Instances hold `text`, what `entity_fields` makes of the entities, `relations` (absent without gold) and
    `metadata`: `words`, `document` (the title), `source`, `num_sentences`, `num_entities` and `entities`, for
    each its mentions as lists of type and `[start, end]`; with gold `relations`, as lists of head, tail and
    type.

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional (default = single ids, named `"tokens"`)
    label_namespace : `str`, optional (default = `"document_relation_labels"`)
        The namespace of the relations' types.
    type_namespace : `str`, optional (default = `"entity_labels"`)
        The namespace of the mentions' types.
    max_instances : `int`, optional (default = `None`)
        Read no more than this many instances.
    """

    def __init__(
        self,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        label_namespace: str = "document_relation_labels",
        type_namespace: str = "entity_labels",
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(token_indexers, max_instances)
        self._label_namespace = label_namespace
        self._type_namespace = type_namespace

    def _read(self, file_path: Union[str, PathLike]) -> Iterator[Instance]:
        counts: Counter[str] = Counter()
        for file in documents_in(file_path, SUFFIX):
            counts["files"] += 1
            for number, document in enumerate(read_documents(file, self.on_error)):
                counts[INSTANCES] += 1
                counts["entities"] += len(document.entities)
                counts["relations"] += len(document.entity_relations)
                yield self.text_to_instance(
                    [sentence.words for sentence in document.sentences],
                    [[each.labelled for each in entity.mentions] for entity in document.entities],
                    [(each.head, each.tail, each.type) for each in document.entity_relations],
                    document.name,
                    f"{file}, document {number}",
                )
        self.conclude(file_path, counts)
        if not counts["relations"]:
            logger.warning(
                "%s: there is no relation, so whatever is found counts as wrong. Where the labels of test "
                "data are not public, write evaluate_on_test: false in the task's task_description.",
                file_path,
            )

    def text_to_instance(
        self,
        sentences: List[List[str]],
        entities: List[List[LabelledSpan]],
        relations: Optional[Sequence[Tuple[int, int, str]]] = None,
        document: Optional[str] = None,
        source: Optional[str] = None,
    ) -> Instance:
        """
        # Parameters

        sentences : `List[List[str]]`
            The words of each sentence.
        entities : `List[List[Tuple[str, Tuple[int, int]]]]`
            For each its mentions, one at least: a type and a `(start, end)`, both inclusive, counted from
            the start of the document.
        relations : `Sequence[Tuple[int, int, str]]`, optional
            Gold: head and tail, each the index of an entity, and type.
        document : `str`, optional
            The document's title.
        source : `str`, optional
            Where the document comes from, for messages.
        """
        words = [word for sentence in sentences for word in sentence]
        text = self.text_field(words)
        types = [kind for mentions in entities for kind, _ in mentions]
        of_entities = entity_fields(text, entities, types, self._type_namespace)
        fields: Dict[str, Field] = {"text": text, **of_entities}
        metadata: Dict[str, Any] = {
            "words": words,
            "document": document,
            "source": source,
            "num_sentences": len(sentences),
            "num_entities": len(entities),
            "entities": [[[kind, list(span)] for kind, span in each] for each in entities],
        }
        if relations is not None:
            distinct = list(dict.fromkeys(relations))
            mentions = cast(SpansField, of_entities["mentions"])
            fields["relations"] = EntityPairsField(distinct, mentions, self._label_namespace)
            metadata["relations"] = [list(relation) for relation in distinct]
        fields["metadata"] = MetadataField(metadata)
        return Instance(fields)


def entity_fields(
    text: TextField,
    entities: Sequence[Sequence[LabelledSpan]],
    types: Union[Sequence[str], Sequence[int]],
    type_namespace: str,
) -> Dict[str, Field]:
    """
    Return `mentions`, all of them, entity by entity; for each of these `mention_entities`, the index of its
    entity, and `mention_types`.

    # Parameters

    text : `TextField`
    entities : `Sequence[Sequence[Tuple[str, Tuple[int, int]]]]`
        As `DocredReader.text_to_instance` takes them.
    types : `Sequence[str]` or `Sequence[int]`
        Of the mentions in this order: labels, or their indices.
    type_namespace : `str`
        The namespace of labels.
    """
    mentions = SpansField([span for each in entities for _, span in each], text)
    owners = [number for number, each in enumerate(entities) for _ in each]
    return {
        "mentions": mentions,
        "mention_entities": SequenceLabelField(owners, mentions),
        "mention_types": SequenceLabelField(types, mentions, type_namespace),  # type: ignore[arg-type]
    }
