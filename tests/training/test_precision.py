"""Training in half precision, and with products of matrices that are less exact."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from hmtl.common.precision import BF16, FP16, FULL, autocast, exactly
from hmtl.config.schema import TrainerConfig
from hmtl.modules.few_calls import few_calls_everywhere
from hmtl.modules.log_partition import log_partition, log_partition_by_sums
from hmtl.prediction.predictor import Predictor
from hmtl.runs.evaluation import load
from hmtl.runs.training import check_precision, train
from script.torture import result_of
from tests.training.small_runs import Crash, CrashAtStep, small_config, small_trainer
from tests.training.test_train_step import PARTS, Toy, toy_trainer

CPU = torch.device("cpu")
ALL_TASKS = {
    "tasks": ["ner", "emd", "relation", "coref"],
    "model__emd__encoder__hidden_size": 4,
    "model__coref__encoder__hidden_size": 4,
    "task_emd__data_params__dataset_reader__max_instances": 4,
    "task_coref__data_params__dataset_reader__max_instances": 2,
}


def test_losses_in_bf16_are_near_those_in_single_precision(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path, **ALL_TASKS, multi_task_trainer__precision=BF16)
    model = trainer.model.eval()
    in_the_head: list[torch.dtype] = []
    model.heads["ner"].get_submodule("tag_projection").register_forward_hook(
        lambda module, given, made: in_the_head.append(made.dtype)
    )
    for name, task in trainer.tasks.items():
        batch = task.stream.next_batch()
        losses = {}
        for precision in (BF16, FULL):
            model.precision = precision
            loss = model(name, batch)["loss"]
            assert loss.dtype is torch.float32
            losses[precision] = loss.item()
        assert losses[BF16] != losses[FULL]
        assert losses[BF16] == pytest.approx(losses[FULL], rel=0.01)
        model.precision = BF16
        model(name, batch, compute_metrics=False)["loss"].backward()
    assert in_the_head == [torch.bfloat16, torch.float32, torch.bfloat16]
    gradients = [each.grad for each in model.parameters() if each.grad is not None]
    assert gradients and all(bool(each.isfinite().all()) for each in gradients)


def test_run_in_bf16_recovers_to_the_bit(tmp_path: Path, build_with: Callable) -> None:
    changed = {"multi_task_trainer__precision": BF16, "multi_task_trainer__num_epochs": 2}
    config = small_config(**changed)
    train(config, tmp_path / "whole", recover=False, force=False)
    build_with(CrashAtStep(4))
    with pytest.raises(Crash):
        train(config, tmp_path / "broken", recover=False, force=False)
    build_with()
    train(config, tmp_path / "broken", recover=True, force=False)
    assert result_of(tmp_path / "whole").differences(result_of(tmp_path / "broken")) == []


def test_prediction_on_the_cpu_is_in_single_precision(tmp_path: Path) -> None:
    config = small_config(multi_task_trainer__precision=BF16, multi_task_trainer__num_epochs=1)
    train(config, tmp_path, recover=False, force=False)
    assert load(tmp_path).model.precision == BF16
    predictor = Predictor.from_serialization_dir(tmp_path, device="cpu")
    assert {each.model.precision for each in predictor._passes} == {FULL}


@pytest.mark.parametrize("grad_norm", [None, 0.5])
def test_loss_is_scaled_for_fp16_alone_and_the_gradient_is_not(grad_norm: float | None) -> None:
    steps = {}
    for precision in (FULL, FP16):
        model = Toy()
        trainer = toy_trainer(model, PARTS, precision=precision, grad_norm=grad_norm)
        trainer.train_step("ner")
        trainer.train_step("ner")
        steps[precision] = model.weight.detach()
        assert trainer.scaler.is_enabled() == (precision == FP16)
    assert not torch.equal(steps[FULL], Toy().weight)
    torch.testing.assert_close(steps[FP16], steps[FULL])


def test_step_whose_scaled_gradient_overflows_is_not_made_and_the_scale_is_kept() -> None:
    model = Toy()
    trainer = toy_trainer(model, PARTS, precision=FP16)
    trainer.train_step("ner")
    before, scale = model.weight.detach().clone(), trainer.scaler.get_scale()
    model.weight.register_hook(lambda gradient: gradient * torch.inf)
    trainer.train_step("ner")
    assert torch.equal(model.weight, before)
    assert trainer.scaler.get_scale() == scale / 2
    resumed = toy_trainer(Toy(), PARTS, precision=FP16)
    resumed.scaler.load_state_dict(trainer.scaler.state_dict())
    assert resumed.scaler.get_scale() == scale / 2


def test_checkpoint_holds_the_scale(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path)
    trainer._tell("on_start", trainer._run_report())
    assert trainer.state_dict()["scaler"] == {}
    trainer.scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    state = trainer.state_dict()
    trainer.scaler = torch.amp.GradScaler("cpu")
    trainer.load_state_dict(state)
    assert trainer.scaler.get_scale() == 8.0
    # One of before there was a scale, or of a run in another precision.
    without: list[dict[str, Any]] = [{}, {"scaler": {}}]
    for older in without:
        trainer.load_state_dict({**{k: v for k, v in state.items() if k != "scaler"}, **older})


@pytest.mark.parametrize(
    "settings, device, message",
    [
        ({}, "cpu", "which is for a GPU; write 'bf16' or 'fp32'"),
        ({"gradient_surgery": "pcgrad"}, "cuda", "gradient_surgery 'pcgrad'; write 'bf16'"),
        ({"loss_weighting": {"type": "uncertainty"}}, "cuda", "loss_weighting 'uncertainty'"),
    ],
)
def test_fp16_is_refused_where_it_would_go_wrong(
    settings: dict[str, Any], device: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"precision is 'fp16', .*{message}"):
        check_precision(TrainerConfig(precision=FP16, **settings), torch.device(device))
    check_precision(TrainerConfig(precision=BF16, **settings), torch.device(device))


def test_products_of_matrices_are_as_exact_as_the_config_says(tmp_path: Path) -> None:
    small_trainer(tmp_path / "less", multi_task_trainer__matmul_precision="medium")
    assert torch.get_float32_matmul_precision() == "medium"
    small_trainer(tmp_path / "more")
    assert torch.get_float32_matmul_precision() == "highest"


@pytest.fixture
def less_exact() -> Any:
    torch.set_float32_matmul_precision("medium")
    yield
    torch.set_float32_matmul_precision("highest")


@pytest.mark.usefixtures("less_exact")
def test_what_is_to_be_exact_is_exact_whatever_is_in_force() -> None:
    matrix = torch.randn(64, 64)
    expected = (matrix.double() @ matrix.double()).float()
    with autocast(BF16, CPU):
        assert (matrix @ matrix).dtype is torch.bfloat16
        with exactly(CPU):
            assert torch.get_float32_matmul_precision() == "highest"
            torch.testing.assert_close(matrix @ matrix, expected, rtol=1e-5, atol=1e-4)
        assert torch.get_float32_matmul_precision() == "medium"
    # Of a run on a GPU: the CPU computes it in single precision.
    with autocast(FP16, CPU):
        assert (matrix @ matrix).dtype is torch.float32


@pytest.mark.usefixtures("less_exact")
@pytest.mark.parametrize("few_calls", [False, True])
def test_gradient_of_the_crf_is_exact_whatever_is_in_force(few_calls: bool) -> None:
    sizes = ((4, 9, 7), (7, 7), (7,), (7,))
    inputs = [torch.randn(size).requires_grad_() for size in sizes]
    inputs_in_double = [each.detach().double().requires_grad_() for each in inputs]
    mask = torch.ones(4, 9, dtype=torch.bool)
    with exactly(CPU), few_calls_everywhere() if few_calls else nullcontext():
        total = log_partition(*[*inputs, mask]).sum()
    found = torch.autograd.grad(total, inputs)
    in_double = log_partition_by_sums(*[*inputs_in_double, mask]).sum()
    expected = torch.autograd.grad(in_double, inputs_in_double)
    for each, right in zip(found, expected, strict=True):
        torch.testing.assert_close(each.double(), right, rtol=1e-5, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize("precision, tolerance", [(FULL, 1e-3), (BF16, 2e-2), (FP16, 2e-2)])
def test_losses_on_a_gpu_are_near_those_on_the_cpu(
    tmp_path: Path, precision: str, tolerance: float
) -> None:
    losses: dict[int, list[float]] = {}
    for device, computed in ((-1, FULL), (0, precision)):
        trainer = small_trainer(
            tmp_path / str(device),
            **ALL_TASKS,
            multi_task_trainer__cuda_device=device,
            multi_task_trainer__precision=computed,
            # Nothing is learned, so that each loss is of the same weights; nor is anything dropped.
            multi_task_trainer__optimizer__lr=0.0,
        )
        for module in trainer.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        losses[device] = [float(trainer.train_step(name).loss) for name in trainer.tasks]
    assert losses[0] == pytest.approx(losses[-1], rel=tolerance)
