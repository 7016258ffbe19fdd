import pytest
import torch
from allennlp.common.checks import ConfigurationError

from hmtl.common.devices import choose_device, to_device


@pytest.mark.parametrize("number", [-1, -2])
def test_negative_number_is_the_cpu(number: int) -> None:
    assert choose_device(number) == torch.device("cpu")


@pytest.mark.parametrize("available, kind", [(True, "cuda"), (False, "cpu")])
def test_no_number_takes_what_there_is(
    available: bool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: int(available))
    assert choose_device(None).type == kind


def test_absent_device_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ConfigurationError, match=r"cuda_device is 1, but torch sees 1 .* Write -1"):
        choose_device(1)


@pytest.mark.parametrize("cuda_device", [None, 0])
def test_process_takes_the_device_of_its_number(
    monkeypatch: pytest.MonkeyPatch, cuda_device: int
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device(cuda_device, process_number=1) == torch.device("cuda", 1)
    assert choose_device(-1, process_number=1) == torch.device("cpu")
    with pytest.raises(ConfigurationError, match="process 2 of this machine .* has no CUDA device"):
        choose_device(cuda_device, process_number=2)


def test_batch_stays_as_it_is_on_the_cpu() -> None:
    batch = {"text": {"tokens": {"tokens": torch.ones(2)}}, "metadata": [{"words": []}]}
    assert to_device(batch, torch.device("cpu")) is batch


@pytest.mark.gpu
def test_batch_moves_to_the_gpu() -> None:
    batch = {"text": {"tokens": {"tokens": torch.ones(2)}}, "metadata": [{"words": []}]}
    moved = to_device(batch, torch.device("cuda", 0))
    assert moved["text"]["tokens"]["tokens"].is_cuda
    assert moved["metadata"] == batch["metadata"]
