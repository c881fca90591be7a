"""What every run has around it."""

import pytest
import tiny
from accelerate.state import AcceleratorState, GradientState

from govorit.errors import UserError
from govorit.pipeline.stages import prepare

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def anew():
    """Let accelerate look at the environment again, in the test and after it."""
    for state in (AcceleratorState, GradientState):
        state._reset_state()
    yield
    for state in (AcceleratorState, GradientState):
        state._reset_state()


def test_precision_and_accumulation_are_those_of_the_config(tmp_path, monkeypatch, anew):
    for name, value in (("MIXED_PRECISION", "bf16"), ("GRADIENT_ACCUMULATION_STEPS", "4")):  # as `accelerate config` sets them
        monkeypatch.setenv(f"ACCELERATE_{name}", value)
    accelerator = prepare(tiny.config(tmp_path), tmp_path)
    assert (accelerator.mixed_precision, accelerator.gradient_accumulation_steps, accelerator.native_amp) == ("no", 1, False)


@pytest.mark.parametrize("name", ["FSDP", "DEEPSPEED", "MEGATRON_LM"])
def test_parts_of_a_network_on_each_gpu_are_refused(tmp_path, monkeypatch, name):
    monkeypatch.setenv(f"ACCELERATE_USE_{name}", "true")
    with pytest.raises(UserError, match=f"^accelerate: found {name}, "):
        prepare(tiny.config(tmp_path), tmp_path)
