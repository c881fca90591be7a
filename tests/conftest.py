"""The longest tests begin first, so that no processor waits for them at the end."""

import pytest

LONGEST = ("test_learning", "test_train_program", "test_wheel")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in LONGEST)
