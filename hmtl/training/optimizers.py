"""Optimizers that take the place of AllenNLP's."""

from typing import List, Optional, Tuple

import torch
from allennlp.training.optimizers import Optimizer, ParameterGroupsType, make_parameter_groups


@Optimizer.register("adam", exist_ok=True)
class Adam(Optimizer, torch.optim.Adam):
    """
    Adam (Kingma and Ba, 2015) in PyTorch's fused form.

    It takes the place of AllenNLP's optimizer of the same name and takes the same parameters. That one
    walks over each tensor a dozen times a step, this one once, and an embedding table is mostly waiting for
    memory: a step of the published model takes a sixth of the time (`benchmarks/limit.py` shows the share
    of a training step that is left).

    # Parameters

    model_parameters : `List[Tuple[str, torch.nn.Parameter]]`
        With their names, by which groups are chosen.
    parameter_groups : `List[Tuple[List[str], Dict[str, Any]]]`, optional (default = `None`)
        Lists of regular expressions, each with options for the parameters that match.
    lr : `float`, optional (default = `0.001`)
    betas : `Tuple[float, float]`, optional (default = `(0.9, 0.999)`)
    eps : `float`, optional (default = `1e-8`)
    weight_decay : `float`, optional (default = `0.0`)
    amsgrad : `bool`, optional (default = `False`)
    """

    def __init__(
        self,
        model_parameters: List[Tuple[str, torch.nn.Parameter]],
        parameter_groups: Optional[ParameterGroupsType] = None,
        lr: float = 0.001,
        betas: Tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-08,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(
            params=make_parameter_groups(model_parameters, parameter_groups),
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            fused=True,
        )
