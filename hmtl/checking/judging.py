"""Says what is wrong with the data that were read, and with what is built for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.vocabulary import DEFAULT_OOV_TOKEN

from hmtl.checking.reading import Reading, SplitName
from hmtl.checking.split_counts import Digest, SplitCounts, share_unknown
from hmtl.common.near_duplicates import NearTexts
from hmtl.config.building import build
from hmtl.config.schema import SPLITS, RunConfig
from hmtl.data.batching import Batching
from hmtl.data.shared_documents import find_shared_documents
from hmtl.runs.assembly import build_model
from hmtl.runs.training import check_learning

# So many names in a message tell whose mistake it is; the rest is a number.
NAMES_SHOWN = 3
# Of the namespaces of a vocabulary that hold words, the one that words are looked up in.
WORDS_NAMESPACE = "tokens"


@dataclass
class Judgement:
    """
    # Parameters

    errors : `list[str]`
        Training would stop at each.
    warnings : `list[str]`
        Training would not, but scores would be worth less.
    unseen_words : `dict[tuple[str, str], float]`
        By task and split, the share of running words, 0 to 1, that the task's own training data do not hold,
        as the token indexers see them (lower-cased, say).
    unknown_words : `dict[tuple[str, str], float]`
        The same of those that the vocabulary of the model does not hold, which is made from the data of all
        tasks, less the words below `min_count`.
    sentences_in_training : `dict[tuple[str, str], int]`
        By task and split, how many sentences the task's training data hold too.
    """

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unseen_words: dict[SplitName, float] = field(default_factory=dict)
    unknown_words: dict[SplitName, float] = field(default_factory=dict)
    sentences_in_training: dict[SplitName, int] = field(default_factory=dict)


def judge(reading: Reading, config: RunConfig) -> Judgement:
    """
    # Parameters

    reading : `Reading`
    config : `RunConfig`
        What it was read for.
    """
    judgement = Judgement()
    for reason, splits in reading.unread.items():
        where = ", ".join(f"{split} data of {task}" for task, split in splits)
        judgement.errors.append(f"{where}: {reason}")
    vocab = _vocabulary(reading, config, judgement.errors)
    if vocab is not None:
        judgement.unknown_words = _unknown_words(reading, vocab)
        judgement.errors.extend(_faults_in_building(reading, config, vocab))
    refused = vocab if config.unseen_labels == "error" else None
    for (task, split), counts in reading.counts.items():
        training = reading.counts.get((task, "train"))
        _judge_labels(judgement, f"{split} data of {task}", counts, training, refused)
        if training is not None and split != "train":
            judgement.unseen_words[task, split] = _unseen_words(counts, training)
            if counts.sentence_digests:
                number = counts.sentences_also_in(training)
                judgement.sentences_in_training[task, split] = number
    names = {name: counts.names for name, counts in reading.counts.items()}
    judgement.warnings.extend(map(str, find_shared_documents(names)))
    judgement.warnings.extend(_texts_in_training(reading))
    judgement.warnings.extend(_texts_in_several_documents(reading))
    if warning := _near_texts(reading):
        judgement.warnings.append(warning)
    return judgement


@dataclass(frozen=True)
class _Counted:
    """In place of the instances that were counted."""

    counts: Iterable[SplitCounts]

    def count_vocab_items(self, counter: dict[str, dict[str, int]]) -> None:
        for counts in self.counts:
            for counted in (counts.vocabulary_words, counts.vocabulary_labels):
                for namespace, items in counted.items():
                    for item, count in items.items():
                        counter[namespace][item] += count


def _vocabulary(reading: Reading, config: RunConfig, errors: list[str]) -> Vocabulary | None:
    """The vocabulary that training would make, but for characters; `None` if it could not."""
    counted = []
    for task in config.tasks:
        name = task.name
        for split in task.data_params.datasets_for_vocab_creation:
            if split not in SPLITS:
                errors.append(
                    f"task_{name}.data_params.datasets_for_vocab_creation names {split!r}; choose from "
                    f"{', '.join(SPLITS)}"
                )
            counted.append(reading.counts.get((name, split)))
    if None in counted:
        return None
    known = _Counted([counts for counts in counted if counts is not None])
    try:
        return build(Vocabulary, config.vocabulary, instances=[known])
    except ConfigurationError as error:
        errors.append(f"vocabulary cannot be made: {error.message}")
    except (OSError, ValueError) as error:
        errors.append(f"vocabulary cannot be made: {error}")
    return None


def _faults_in_building(reading: Reading, config: RunConfig, vocab: Vocabulary) -> list[str]:
    """What a start would stop at after the data were read, by building all that follows from them."""
    faults = []
    for key, block in config.iterators.items():
        try:
            build(Batching, block, f"iterators.{key}")
        except ConfigurationError as error:
            faults.append(error.message)
    try:
        model = build_model(config, vocab)
        check_learning(config, model)
        for (task, _), counts in reading.counts.items():
            model.check_fields(task, counts.fields)
    except ConfigurationError as error:
        faults.append(error.message)
    return faults


def _words_namespace(counts: SplitCounts) -> str | None:
    namespaces = list(counts.vocabulary_words)
    return WORDS_NAMESPACE if WORDS_NAMESPACE in namespaces else next(iter(namespaces), None)


def _unknown_words(reading: Reading, vocab: Vocabulary) -> dict[SplitName, float]:
    shares = {}
    for name, counts in reading.counts.items():
        namespace = _words_namespace(counts)
        if namespace is not None:
            known = vocab.get_token_to_index_vocabulary(namespace)
            shares[name] = share_unknown(counts.vocabulary_words[namespace], known)
    return shares


def _unseen_words(counts: SplitCounts, training: SplitCounts) -> float:
    namespace = _words_namespace(training)
    if namespace is None:
        return share_unknown(counts.words, training.words)
    words = counts.vocabulary_words.get(namespace, Counter())
    return share_unknown(words, training.vocabulary_words[namespace])


def _judge_labels(
    judgement: Judgement,
    what: str,
    counts: SplitCounts,
    training: SplitCounts | None,
    refused: Vocabulary | None,
) -> None:
    """
    # Parameters

    refused : `Vocabulary`, optional
        What training refuses labels for not being in, if it does.
    """
    for namespace, labels in counts.vocabulary_labels.items():
        lacking = [] if refused is None else _lacking(refused, namespace, labels)
        if lacking:
            judgement.errors.append(
                f"{what}: labels that the vocabulary does not hold: "
                f"{_with_sources(lacking, namespace, counts)}. Training refuses them: correct them, add "
                "the split to datasets_for_vocab_creation, or write unseen_labels: 'miss'"
            )
        if training is None:
            continue
        trained = training.vocabulary_labels.get(namespace, Counter())
        unseen = [label for label in labels if label not in trained and label not in lacking]
        if unseen:
            judgement.warnings.append(
                f"{what}: labels never seen in its training data: "
                f"{_with_sources(unseen, namespace, counts)}"
            )


def _lacking(vocab: Vocabulary, namespace: str, labels: Iterable[str]) -> list[str]:
    known = vocab.get_token_to_index_vocabulary(namespace)
    # A namespace of words has an index for those it lacks.
    return [] if DEFAULT_OOV_TOKEN in known else [label for label in labels if label not in known]


def _with_sources(labels: Iterable[str], namespace: str, counts: SplitCounts) -> str:
    numbers = counts.vocabulary_labels[namespace]
    return _some(
        f"{label} ({numbers[label]} times, first {counts.label_sources[namespace, label]})"
        for label in sorted(labels, key=lambda label: (-numbers[label], label))
    )


def _texts_in_training(reading: Reading) -> Iterator[str]:
    """Those under other names than in training: `find_shared_documents` finds the same ones."""
    digests = {name: counts.document_digests() for name, counts in reading.counts.items()}
    for (trained, _), seen in (
        (name, found) for name, found in digests.items() if name[1] == "train"
    ):
        names = reading.counts[trained, "train"].names
        for (scored, split), found in digests.items():
            if split == "train":
                continue
            shared = [each for each in found if each in seen and names.isdisjoint(found[each])]
            if shared:
                pairs = _some(f"{found[each][0]} = {seen[each][0]}" for each in shared)
                yield (
                    f"{len(shared)} document(s) in the {split} data of {scored} hold, under other names, "
                    f"the text of documents in the training data of {trained}: {pairs}"
                )


def _near_texts(reading: Reading) -> str | None:
    """Texts of two splits, of whatever tasks, that are nearly but not quite the same."""
    near = NearTexts(SPLITS)
    seen: set[Digest] = set()
    for (_, split), counts in reading.counts.items():
        for (_, name, _), document in counts.documents.items():
            digest = document.text.digest()
            if digest not in seen:
                seen.add(digest)
                near.add_sketch(name, split, document.sketch)
    return near.warning()


def _texts_in_several_documents(reading: Reading) -> Iterator[str]:
    for (task, split), counts in reading.counts.items():
        groups = [names for names in counts.document_digests().values() if len(names) > 1]
        if groups:
            shown = _some(" = ".join(names) for names in groups)
            yield f"{split} data of {task}: {len(groups)} text(s) stand in several documents: {shown}"


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - NAMES_SHOWN} more" if len(listed) > NAMES_SHOWN else ""
    return ", ".join(listed[:NAMES_SHOWN]) + more
