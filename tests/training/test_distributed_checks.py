"""What several processes cannot do together is told before they begin, or as soon as it shows."""

from pathlib import Path

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from hmtl.errors import DataError
from hmtl.models.heads.crf_tagger import CrfTagger
from hmtl.training.distributed import (
    SINGLE_PROCESS,
    DistributedProcessGroup,
    after_elastic_restart,
    joining_process_group,
)
from hmtl.training.trainer import MultiTaskTrainer
from tests.running import Scripts
from tests.training.fake_collectives import FakeCollectives
from tests.training.small_runs import small_trainer


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> MultiTaskTrainer:
    return small_trainer(tmp_path_factory.mktemp("run"))


def processes(**imagined: object) -> DistributedProcessGroup:
    return DistributedProcessGroup(FakeCollectives(**imagined), local_rank=0)  # type: ignore[arg-type]


def test_built_in_heads_can_be_shared(trainer: MultiTaskTrainer) -> None:
    processes().check_can_distribute(trainer.model)


def test_head_must_say_how_its_loss_is_made(
    trainer: MultiTaskTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CrfTagger, "loss_kind", None)
    with pytest.raises(ConfigurationError, match="model.ner.tagger: .* a sum or a mean"):
        processes().check_can_distribute(trainer.model)


def test_counters_of_a_head_must_merge(
    trainer: MultiTaskTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CrfTagger, "counters", lambda head: {"accuracy": object()})
    with pytest.raises(ConfigurationError, match=r"its counters \['accuracy'\] have no merge"):
        processes().check_can_distribute(trainer.model)


def test_head_that_counts_must_have_counters(
    trainer: MultiTaskTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CrfTagger, "counters", lambda head: {})
    with pytest.raises(ConfigurationError, match=r"CrfTagger counts, as it has no counters\(\)"):
        processes().check_can_distribute(trainer.model)


def test_weights_that_differ_are_noticed(trainer: MultiTaskTrainer) -> None:
    processes().check_same_weights(trainer.model)
    first = next(iter(trainer.model.state_dict()))
    with pytest.raises(DataError, match=f"here {first} differs from that of rank 0"):
        processes(weights_differ=True).check_same_weights(trainer.model)


def test_files_that_differ_are_noticed() -> None:
    processes().check_same("the config", {"seed": 1})
    with pytest.raises(DataError, match="the config must be the same .* on rank 1 "):
        processes(answer={"seed": 2}).check_same("the config", {"seed": 1})


def test_loss_that_is_a_sum_is_added_up(trainer: MultiTaskTrainer) -> None:
    loss = torch.tensor(3.0, requires_grad=True)
    own, whole = processes(factor=2.0).reduce_loss(
        trainer.model, "ner", {"text": {}}, {"loss": loss}
    )
    # The other has 6: this one's share in the mean of two is its whole loss.
    assert (float(own.detach()), float(whole)) == (6.0, 9.0)


def test_loss_that_is_a_mean_is_weighted(
    trainer: MultiTaskTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CrfTagger, "loss_divisor", lambda head, output: 5.0)
    loss = torch.tensor(3.0, requires_grad=True)
    own, whole = processes(factor=3.0).reduce_loss(
        trainer.model, "ner", {"text": {}}, {"loss": loss}
    )
    # A mean over 5 of 20.
    assert (float(own.detach()), float(whole)) == pytest.approx((3.0 * 2 * 5 / 20, 3.0))


def test_single_process_needs_no_group() -> None:
    with joining_process_group() as found:
        assert found is SINGLE_PROCESS


@pytest.mark.parametrize("minutes", [0.0, -1.0])
def test_timeout_must_be_positive(minutes: float) -> None:
    with pytest.raises(ConfigurationError, match="distributed_timeout_minutes is"):
        with joining_process_group(timeout_minutes=minutes):
            pass


@pytest.mark.parametrize("recover, force", [(False, False), (True, False), (False, True)])
def test_run_is_resumed_after_an_elastic_restart(
    monkeypatch: pytest.MonkeyPatch, recover: bool, force: bool
) -> None:
    assert after_elastic_restart(recover, force) == (recover, force)
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert after_elastic_restart(recover, force) == (True, False)


def test_script_for_one_process_refuses_several(
    run_script: Scripts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    refused = run_script("predict.py", "-s", tmp_path)
    assert refused.error == "error: this is done by one process: start it without torchrun"
