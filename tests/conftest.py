"""How the tests share the processor."""

import os

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before any test imports torch: threads that spin while they wait starve the others

LONGEST = ("test_learning", "test_train_program", "test_wheel")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests, so that no processor waits for them at the end."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)


@pytest.fixture
def one_thread():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
