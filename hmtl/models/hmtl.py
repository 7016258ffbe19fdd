"""The one model: a hierarchy of encoders with a head on each level."""

from typing import Any, Dict, List, Optional

import torch
from allennlp.common import Lazy
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.models import Model
from allennlp.modules import TextFieldEmbedder
from allennlp.nn import InitializerApplicator, RegularizerApplicator

from hmtl.hierarchy import LEVELS_BY_MODEL_TYPE
from hmtl.models.encoders import Encoding, Level, StackedEncoders, build_sized
from hmtl.models.heads.head import Head


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
        for name in self.encoders.below:
            self.heads[name] = self._build_head(name, levels[name].tagger)
        if initializer is not None:
            initializer(self)

    def _build_head(self, name: str, tagger: Lazy[Head]) -> Head:
        return build_sized(
            tagger,
            f"model.{name}.tagger",
            vocab=self.vocab,
            input_dim=self.encoders.input_dims[name],
            encoded_dim=self.encoders.encoded_dims[name],
        )

    def forward(  # type: ignore[override]
        self, task_name: str, batch: Dict[str, Any], compute_metrics: bool = True
    ) -> Dict[str, torch.Tensor]:
        """
        Runs the encoders up to a task's level, and its head.

        # Parameters

        task_name : `str`
        batch : `Dict[str, Any]`
            The tensors and metadata of a batch of that task: `text`, and the fields that its head takes.
        compute_metrics : `bool`, optional (default = `True`)
            Decode and count; a training step does without.

        # Returns

        output_dict : `Dict[str, torch.Tensor]`
            What the head returns: `loss` (a scalar) among it when the batch holds gold annotation.
        """
        fields = dict(batch)
        encoding = self.encode(fields.pop("text"), up_to=task_name)
        level = encoding.levels[task_name]
        return self.heads[task_name](
            level.inputs, level.encoded, encoding.mask, compute_metrics, **fields
        )

    def encode(self, text: TextFieldTensors, up_to: Optional[str] = None) -> Encoding:
        """
        The text at every level in one pass, or at those a task needs.

        # Parameters

        text : `TextFieldTensors`
        up_to : `str`, optional (default = `None`)
            The level to stop at; `None` is all of them.
        """
        return self.encoders(text, up_to)

    def decode(self, task_name: str, output_dict: Dict[str, torch.Tensor]) -> Dict[str, Any]:
        """What a task's head reads from its `forward` output, one entry per instance."""
        return self.heads[task_name].decode(output_dict)

    def get_metrics(  # type: ignore[override]
        self, task_name: str, reset: bool = False, full: bool = False
    ) -> Dict[str, Any]:
        """What a task's head has counted since the last reset; see `Head.get_metrics`."""
        return self.heads[task_name].get_metrics(reset=reset, full=full)

    @property
    def levels(self) -> List[str]:
        """The levels' names, from the bottom up."""
        return list(self.encoders.below)


# The reference had a class for each of these combinations of tasks.
for _older_name in LEVELS_BY_MODEL_TYPE:
    Model.register(_older_name)(Hmtl)
