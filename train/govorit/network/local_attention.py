"""Attention that looks a few tokens to either side, computed in blocks: its work grows with the tokens, not with their square.

What transformers offers beside flash attention computes the whole square and masks most of it. Here the queries of a block of `2 * reach`
tokens meet the keys of that block and of `reach` tokens before and after it (as in Beltagy et al. 2020, Longformer, section 3.2). It gives
what `eager` gives; it is what graphs for a processor are written with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import AttentionInterface, PreTrainedModel
from transformers.masking_utils import AttentionMaskInterface

NAME = "govorit_blocks"
_NEVER = -1e4  # added to the score of what is not to be seen


@contextmanager
def blockwise(encoder: PreTrainedModel) -> Iterator[None]:
    """Let an encoder with local layers (ModernBERT) compute them in blocks for a while; others stay as they are."""
    before = encoder.config._attn_implementation
    if "sliding_attention" not in (getattr(encoder.config, "layer_types", None) or ()):
        yield
        return
    AttentionInterface.register(NAME, _attend)
    AttentionMaskInterface.register(NAME, _mask)
    encoder.set_attn_implementation(NAME)
    try:
        yield
    finally:
        encoder.set_attn_implementation(before)


def _mask(*, attention_mask: Tensor, **_: Any) -> Tensor:
    """What is added to the scores of each key, (batch, tokens): nothing, or `_NEVER` where it is padding."""
    return (1.0 - attention_mask.float()) * _NEVER


def _attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor,
    scaling: float,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attend: `query`, `key`, `value` (batch, heads, tokens, size) -> (batch, tokens, heads, size); it reaches sliding_window - 1."""
    if sliding_window is None:
        scores = query @ key.transpose(-1, -2) * scaling + mask[:, None, None]
        return (scores.softmax(-1) @ value).transpose(1, 2), None
    reach = sliding_window - 1
    batch, heads, tokens, size = query.shape
    count = (tokens + 2 * reach - 1) // (2 * reach)
    spare = count * 2 * reach - tokens
    queries = pad(query * scaling, (0, 0, 0, spare)).reshape(batch, heads, count, 2 * reach, size)
    keys, values = (
        _around(pad(part, (0, 0, reach, spare + reach)).reshape(batch, heads, 2 * count + 2, reach, size), count) for part in (key, value)
    )
    seen = _around(pad(mask, (reach, spare + reach), value=_NEVER).reshape(batch, 1, 2 * count + 2, reach, 1), count)
    scores = queries @ keys.transpose(-1, -2) + (seen.transpose(-1, -2) + _band(reach, query.device))
    found = (scores.softmax(-1) @ values).reshape(batch, heads, count * 2 * reach, size)
    return found[:, :, :tokens].transpose(1, 2), None


def _around(halves: Tensor, count: int) -> Tensor:
    """Put together what each block sees: four half-blocks of (batch, heads, 2 count + 2, reach, size), its own two in the middle."""
    return torch.cat([halves[:, :, first : first + 2 * count : 2] for first in range(4)], dim=3)


def _band(reach: int, device: torch.device) -> Tensor:
    """Which keys of those around a block each of its queries sees, as something to add, (2 reach, 4 reach)."""
    distance = torch.arange(2 * reach, device=device)[:, None] + reach - torch.arange(4 * reach, device=device)
    return torch.where(distance.abs() <= reach, 0.0, _NEVER)
