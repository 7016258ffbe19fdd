"""ELMo, whose vectors of a text depend on that text alone."""

from typing import List, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules.elmo_lstm import ElmoLstm
from allennlp.modules.token_embedders import ElmoTokenEmbedder, TokenEmbedder


@TokenEmbedder.register("elmo_token_embedder", exist_ok=True)
class StatelessElmoTokenEmbedder(ElmoTokenEmbedder):
    """
    ELMo (Peters et al., 2018) as a token embedder, for the indexer `elmo_characters`.

    It takes the place of AllenNLP's embedder of the same name and takes its parameters, but for the cache
    of words. That one begins each batch with the LSTM states in which the last batch ended: the same text
    has other vectors each time, and they depend on all that was read before, in training, validation or
    prediction. This one begins each batch afresh, so that a run that was interrupted goes on as if it had
    not been.

    # Parameters

    options_file : `str`
        JSON, a path or an address.
    weight_file : `str`
        HDF5, a path or an address.
    do_layer_norm : `bool`, optional (default = `False`)
        Normalise each layer before they are mixed.
    dropout : `float`, optional (default = `0.5`)
        Probability of zeroing an entry of the vectors. The reference's configs say 0.
    requires_grad : `bool`, optional (default = `False`)
        Train ELMo's own weights as well, not just the weights of its layers in the mixture.
    projection_dim : `int`, optional (default = `None`)
        Project the vectors to this width; `None` leaves them as they are.
    scalar_mix_parameters : `List[float]`, optional (default = `None`)
        Fixed weights of the layers (before a softmax) instead of trained ones.

    # Raises

    ConfigurationError
        When the files cannot be read, or do not belong together.
    """

    def __init__(
        self,
        options_file: str,
        weight_file: str,
        do_layer_norm: bool = False,
        dropout: float = 0.5,
        requires_grad: bool = False,
        projection_dim: Optional[int] = None,
        scalar_mix_parameters: Optional[List[float]] = None,
    ) -> None:
        try:
            super().__init__(
                options_file=options_file,
                weight_file=weight_file,
                do_layer_norm=do_layer_norm,
                dropout=dropout,
                requires_grad=requires_grad,
                projection_dim=projection_dim,
                scalar_mix_parameters=scalar_mix_parameters,
            )
        except (OSError, ValueError, LookupError, RuntimeError) as error:
            # What is wrong with such a file, h5py, json and torch each tell by an exception of their own.
            raise ConfigurationError(
                f"ELMo cannot be made from the options_file {options_file} and the weight_file "
                f"{weight_file}: {error}. Expected are the JSON and the HDF5 file of one released ELMo; "
                "correct the paths, or download the files again."
            ) from error

    def forward(self, elmo_tokens: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """
        # Parameters

        elmo_tokens : `torch.Tensor`
            Character ids. Shape `(batch_size, num_tokens, 50)`.

        # Returns

        vectors : `torch.Tensor`
            Shape `(batch_size, num_tokens, output_dim)`.
        """
        for module in self.modules():
            if isinstance(module, ElmoLstm):
                module.reset_states()
        return super().forward(elmo_tokens)
