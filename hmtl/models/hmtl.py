"""The one model: a hierarchy of encoders with a head on each level."""

import inspect
from typing import Any, Collection, Dict, List, Optional, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.models import Model
from allennlp.modules import TextFieldEmbedder
from allennlp.nn import InitializerApplicator, RegularizerApplicator

from hmtl.common.answers import COREFERENCE, with_temperature
from hmtl.common.devices import device_of
from hmtl.common.precision import FULL, autocast
from hmtl.config.hierarchy import LEVELS_BY_MODEL_TYPE
from hmtl.data.batching import TEXT
from hmtl.models.encoders import Encoding, Level, StackedEncoders, build_sized
from hmtl.models.heads.head import Head

# Of what a head takes, that which no reader gives.
GIVEN_BY_THE_MODEL = ("inputs", "encoded", "mask", "compute_metrics", "predicted_mentions")


@Model.register("hmtl")
class Hmtl(Model):
    """
    A hierarchical multi-task learning model (Sanh, Wolf and Ruder, 2019): each task is supervised at its
    own level of one stack of encoders. Which tasks there are, and what stacks on what, is configuration.

    # Parameters

    vocab : `Vocabulary`
    text_field_embedder : `TextFieldEmbedder`
        The base embedding that every level reads.
    levels : `Dict[str, Level]`
        A level per task, by the task's name.
    initializer : `InitializerApplicator`, optional
        Applied to the whole model after its parts have initialised themselves.
    regularizer : `RegularizerApplicator`, optional
        Its penalty is added to the loss of every batch.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        text_field_embedder: TextFieldEmbedder,
        levels: Dict[str, Level],
        initializer: Optional[InitializerApplicator] = None,
        regularizer: Optional[RegularizerApplicator] = None,
    ) -> None:
        super().__init__(vocab, regularizer)
        self.encoders = StackedEncoders(text_field_embedder, levels)
        self.heads = torch.nn.ModuleDict()
        # What to compute in; of a config's `multi_task_trainer`, not of its model.
        self.precision = FULL
        built = self._build_heads(levels)
        for name in self.encoders.below:
            self.heads[name] = built[name]
        for name in self.encoders.label_embedding_dims:
            self.encoders.embed_labels(name, self._num_labels_below(name))
        self.mentions_from = {
            name: self._mention_level(name, level.mentions_from)
            for name, level in levels.items()
            if level.mentions_from is not None or self._head(name).needs_mentions
        }
        self.clusters_from = {
            name: self._cluster_level(name, level.clusters_from)
            for name, level in levels.items()
            if level.clusters_from is not None
        }
        if initializer is not None:
            initializer(self)

    def _build_heads(self, levels: Dict[str, Level]) -> Dict[str, Head]:
        """From the bottom up, but first the head whose mentions another relates: their labels size that."""
        built: Dict[str, Head] = {}
        for name in self.encoders.below:
            for each in (levels[name].mentions_from, name):
                if each in levels and each not in built:
                    built[each] = self._build_head(each, levels[each], built)
        return built

    def _build_head(self, name: str, level: Level, built: Dict[str, Head]) -> Head:
        finding = built.get(level.mentions_from or "")
        mention_labels = [] if finding is None else finding.answer_labels()
        return build_sized(
            level.tagger,
            f"model.{name}.tagger",
            vocab=self.vocab,
            input_dim=self.encoders.input_dims[name],
            encoded_dim=self.encoders.encoded_dims[name],
            mention_labels=mention_labels,
        )

    def _num_labels_below(self, name: str) -> int:
        below = self.encoders.below[name]
        assert below is not None
        head = self._head(below)
        if not head.labels_tokens:
            labelling = sorted(level for level in self.heads if self._head(level).labels_tokens)
            raise ConfigurationError(
                f"model.{name} has a label_embedding_dim, but the head of model.{below}, which it stacks on, "
                "does not label each token. Leave it out, or stack it on a level whose head does "
                f"({', '.join(labelling) or 'there is none'})."
            )
        return len(head.labels)

    def _label_probabilities(
        self, level: str, encoded: torch.Tensor, mask: torch.BoolTensor
    ) -> torch.Tensor:
        with torch.no_grad():
            return self._head(level).label_probabilities(encoded, mask)

    def _mention_level(self, name: str, mentions_from: Optional[str]) -> str:
        finding = sorted(level for level, head in self.heads.items() if head.finds_mentions)
        head = self._head(name)
        if not (head.takes_mentions or head.takes_entities) or mentions_from not in finding:
            raise ConfigurationError(
                f"model.{name}.mentions_from is {mentions_from!r}; it must be a level whose head finds "
                f"mentions ({', '.join(finding) or 'there is none'}), for a head of relations, as "
                "'relation_extractor'. For another head leave it out."
            )
        return mentions_from

    def _cluster_level(self, name: str, clusters_from: str) -> str:
        finding = sorted(level for level in self.heads if self._finds_clusters(level))
        if not self._head(name).takes_entities or clusters_from not in finding:
            raise ConfigurationError(
                f"model.{name}.clusters_from is {clusters_from!r}; it must be a level whose head finds "
                f"clusters ({', '.join(finding) or 'there is none'}), for a head that relates entities, as "
                "'document_relation_extractor' does. Else write null."
            )
        return clusters_from

    def _finds_clusters(self, name: str) -> bool:
        answers = self._head(name).get_answers()
        return answers is not None and answers.kind == COREFERENCE

    def forward(
        self,
        task_name: str,
        batch: Dict[str, Any],
        compute_metrics: bool = True,
        full: bool = False,
    ) -> Dict[str, torch.Tensor]:
        """
        Runs the encoders up to a task's level, and its head.

        # Parameters

        task_name : `str`
        batch : `Dict[str, Any]`
            The tensors and metadata of a batch of that task: `text`, and the fields that its head takes.
        compute_metrics : `bool`, optional (default = `True`)
            Decode and count; a training step does without.
        full : `bool`, optional (default = `False`)
            Count also what only `get_metrics` with `full` tells.

        # Returns

        output_dict : `Dict[str, torch.Tensor]`
            What the head returns: `loss` (a scalar) among it when the batch holds gold annotation.
        """
        fields = dict(batch)
        encoding = self.encode(fields.pop(TEXT), up_to=self.lowest_with([task_name], full))
        return self.run_head(task_name, encoding, compute_metrics, fields, full)

    def run_head(
        self,
        task_name: str,
        encoding: Encoding,
        compute_metrics: bool,
        fields: Dict[str, Any],
        full: bool = False,
    ) -> Dict[str, torch.Tensor]:
        """
        Run a task's head on an encoding that reaches to `lowest_with` it; see `forward`.

        # Parameters

        fields : `Dict[str, Any]`
            Those of the batch, without its text.
        """
        mention_level = self._mention_level_of(task_name, full)
        level = encoding.levels[task_name]
        with autocast(self.precision, encoding.mask.device):
            if mention_level is not None:
                mentions = self._mentions(mention_level, encoding)
                fields = {**fields, "predicted_mentions": mentions}
            return self._head(task_name)(
                level.inputs, level.encoded, encoding.mask, compute_metrics, **fields
            )

    def lowest_with(self, task_names: Collection[str], full: bool = False) -> Optional[str]:
        """Return up to which level these tasks' heads need the encoders: `None` is all of them."""
        below = {self._mention_level_of(name, full) for name in task_names} - {None}
        return self.encoders.lowest_with({*task_names, *below})  # type: ignore[arg-type]

    def _mention_level_of(self, task_name: str, full: bool) -> Optional[str]:
        head = self._head(task_name)
        needed = head.needs_mentions and not self.training
        wanted = full and head.takes_mentions
        return self.mentions_from.get(task_name) if wanted or needed else None

    def check_fields(self, task_name: str, names: Collection[str]) -> None:
        """
        Check that a task's head takes what its reader gives.

        # Parameters

        task_name : `str`
        names : `Collection[str]`
            Of the fields of the task's instances.

        # Raises

        ConfigurationError
            Naming the fields that it does not take, and those that it does.
        """
        parameters = inspect.signature(self._head(task_name).forward).parameters
        if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values()):
            return
        given = sorted(set(names) - {TEXT})
        if not set(given) <= set(parameters):
            taken = [name for name in parameters if name not in GIVEN_BY_THE_MODEL]
            raise ConfigurationError(
                f"task_{task_name}: its reader gives the fields {', '.join(given)}, but the head of "
                f"model.{task_name}.tagger takes {', '.join(taken) or 'none'}. Choose a reader and a head "
                "that go together: for span_classifier a reader with coding_scheme 'spans', else one of tags."
            )

    def _mentions(self, level_name: str, encoding: Encoding) -> List[Any]:
        """The labelled spans that a level's head finds, per instance."""
        level = encoding.levels[level_name]
        head = self._head(level_name)
        return head.decode(head(level.inputs, level.encoded, encoding.mask, False))["spans"]

    def encode(self, text: TextFieldTensors, up_to: Optional[str] = None) -> Encoding:
        """
        The text at every level in one pass, or at those a task needs.

        # Parameters

        text : `TextFieldTensors`
        up_to : `str`, optional (default = `None`)
            The level to stop at; `None` is all of them.
        """
        with autocast(self.precision, device_of(text)):
            return self.encoders(text, up_to, self._label_probabilities)

    def decode(self, task_name: str, output_dict: Dict[str, torch.Tensor]) -> Dict[str, Any]:
        """What a task's head reads from its `forward` output, one entry per instance."""
        return self._head(task_name).decode(output_dict)

    def probabilities(
        self, task_name: str, output_dict: Dict[str, torch.Tensor], answers: List[Any]
    ) -> Optional[List[Any]]:
        """Return how probable a task's answers are, with its temperature; see `Head.probabilities`."""
        head = self._head(task_name)
        return with_temperature(head.probabilities(output_dict, answers), head.temperature)

    def get_metrics(  # type: ignore[override]
        self, task_name: str, reset: bool = False, full: bool = False
    ) -> Dict[str, Any]:
        """What a task's head has counted since the last reset; see `Head.get_metrics`."""
        return self._head(task_name).get_metrics(reset=reset, full=full)

    def counts(self, task_name: str) -> Dict[str, Any]:
        """What a task's head has counted since the last reset, in plain values."""
        counters = self._head(task_name).counters()
        return {name: counter.state_dict() for name, counter in counters.items()}

    def restore_counts(self, task_name: str, counts: Dict[str, Any]) -> None:
        """Lets a task's head go on from what `counts` returned."""
        for name, counter in self._head(task_name).counters().items():
            # A checkpoint of before there was this counter has nothing of it.
            if name in counts:
                counter.load_state_dict(counts[name])

    def add_counts(self, task_name: str, counts: Dict[str, Any]) -> None:
        """Lets a task's head count as well what `counts` returned in another process."""
        for name, counter in self._head(task_name).counters().items():
            counter.merge(counts[name])

    def loss_divisor(
        self, task_name: str, output_dict: Dict[str, torch.Tensor]
    ) -> Optional[Union[float, torch.Tensor]]:
        """What a task's loss is a mean over, or `None` where it is a sum; see `Head.loss_divisor`."""
        return self._head(task_name).loss_divisor(output_dict)

    def _head(self, name: str) -> Head:
        head = self.heads[name]
        assert isinstance(head, Head)
        return head

    @property
    def levels(self) -> List[str]:
        """The levels' names, from the bottom up."""
        return list(self.encoders.below)


# The reference had a class for each of these combinations of tasks.
for _older_name in LEVELS_BY_MODEL_TYPE:
    Model.register(_older_name)(Hmtl)
