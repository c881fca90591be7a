"""Low-rank adaptation of the encoder (LoRA; Hu et al. 2021, arXiv:2106.09685), through `peft`.

Beside every matrix of the encoder two thin ones are learnt, and the encoder itself, its embeddings too, stays as it was; heads, links and
hints learn whole. `merge_and_unload` of what is returned adds the products in: what is published is a plain encoder and needs no `peft`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from govorit.errors import MissingPackageError

if TYPE_CHECKING:
    from peft import LoraModel

    from govorit.network.tagger import Tagger


def adapt(tagger: Tagger, rank: int, alpha: int) -> LoraModel:
    """Put thin matrices beside all linear layers of the encoder, in place, and freeze the rest of it; return what merges them.

    Raises:
        MissingPackageError: `peft` is not installed.
    """
    try:
        from peft import LoraConfig, LoraModel
    except ImportError:
        raise MissingPackageError("trainer.lora", "peft", "lora") from None
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules="all-linear")
    return LoraModel(tagger.encoder, {"default": config}, "default")
