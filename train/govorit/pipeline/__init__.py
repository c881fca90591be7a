"""A run, stage by stage: the only place that sees the whole config."""

from govorit.pipeline.finetune import encode, run
from govorit.pipeline.pretrain import pretrain
from govorit.pipeline.stages import Outcome

__all__ = ["Outcome", "encode", "pretrain", "run"]
