"""The network: one encoder, and a token-classification head for each layer of annotation.

A head is what `AutoModelForTokenClassification` puts on this encoder, so that every layer can be published as that standard model.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForTokenClassification,
    ModernBertConfig,
    PreTrainedConfig,
    PreTrainedModel,
)

from govorit import words
from govorit.article import LAYERS
from govorit.decoding import boundaries, hints
from govorit.decoding.aids import Aids
from govorit.decoding.hints import SYNTAX, Hints
from govorit.decoding.links import VECTORS
from govorit.errors import UserError
from govorit.network import tokenization
from govorit.network.linking import LinkHead

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from govorit.config import Model, Scratch


class Tagger(nn.Module):
    """Scores the tags of every layer for every token, and ties quotations.

    `encoder` is any `AutoModel` encoder; `heads` maps each layer to a chain of modules from hidden states to tag scores; `links` is there
    where quotations are learnt, None where nearness ties them; `costs` are those of boundaries. `syntax` are the heads of the silver
    layers that rules read, `names` their labels, `hints` what the rules add to the scores of quotations: there after :meth:`listen`.
    """

    def __init__(self, encoder: PreTrainedModel, layers: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None  # a sentence vector that nothing here uses
        self.encoder = encoder
        self.layers = {layer: list(labels) for layer, labels in layers.items()}
        tags = {layer: len(words.tag_names(labels)) for layer, labels in self.layers.items()}
        self.heads = nn.ModuleDict({layer: head(encoder.config, count) for layer, count in tags.items()})
        self.links = LinkHead(encoder.config.hidden_size) if "quotes" in layers else None
        self.costs = nn.ParameterDict(
            {
                layer: nn.Parameter(torch.zeros(len(labels), 2, boundaries.CONTEXTS), requires_grad=False)
                for layer, labels in self.layers.items()
            }
        )
        self.syntax = nn.ModuleDict()
        self.names: dict[str, list[str]] = {}
        self.hints: nn.Embedding | None = None

    def listen(self, names: Mapping[str, Sequence[str]]) -> None:
        """Make room for the rules: heads of the silver layers, as in pre-training, and weights of hints."""
        self.names = {layer: list(labels) for layer, labels in names.items()}
        self.syntax = nn.ModuleDict({layer: silver_head(self.encoder.config, layer, len(labels)) for layer, labels in names.items()})
        self.hints = nn.Embedding.from_pretrained(torch.from_numpy(hints.first_weights(self.layers["quotes"])), freeze=False, padding_idx=0)

    def keep(self, layers: Iterable[str]) -> None:
        """Forget all layers but these, with what belongs to them; where quotations stay, they can be tied."""
        self.layers = {layer: self.layers[layer] for layer in layers}
        self.heads = nn.ModuleDict({layer: self.heads[layer] for layer in self.layers})
        self.costs = nn.ParameterDict({layer: self.costs[layer] for layer in self.layers})
        if "quotes" in self.layers:
            self.links = self.links or LinkHead(self.encoder.config.hidden_size)
        else:
            self.links, self.names, self.syntax, self.hints = None, {}, nn.ModuleDict(), None

    def forward(self, ids: Tensor, mask: Tensor, hinted: Tensor | None = None) -> dict[str, Tensor]:
        """Score windows: `ids` and `mask` (windows, tokens) -> for each layer logits (windows, tokens, tags).

        With a link head, the vectors of the tokens as well, (windows, tokens, size), under `links.VECTORS`; with heads for the rules,
        logits of each silver layer, (windows, tokens, labels), under `hints.SYNTAX` and its name. `hinted` (windows, tokens) is what the
        rules say, in training; when articles are read, the decoder adds it.
        """
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        answers = {layer: head(hidden) for layer, head in self.heads.items()}
        if self.hints is not None and hinted is not None:
            answers["quotes"] = answers["quotes"] + self.hints(hinted)
        if self.links is not None:
            answers[VECTORS] = self.links.project(hidden)
        return answers | {SYNTAX + layer: head(hidden) for layer, head in self.syntax.items()}

    def aids(self) -> Aids:
        """Copy what the decoder needs beside scores, as it is now."""
        costs = {layer: values.detach().cpu().numpy().copy() for layer, values in self.costs.items()}
        heard = None if self.hints is None else Hints(self.hints.weight.detach().cpu().numpy().copy(), self.names)
        return Aids(costs, None if self.links is None else self.links.weights(), heard)

    def standard(self, layer: str) -> tuple[PreTrainedConfig, dict[str, Tensor], dict[str, Tensor]]:
        """One layer as `AutoModelForTokenClassification` holds it: config, encoder weights and head weights under its names."""
        config = head_config(self.encoder.config, self.layers[layer])
        base = _shell(config).base_model_prefix
        encoder = {f"{base}.{name}": value for name, value in self.encoder.state_dict().items()}
        return config, encoder, dict(self.heads[layer].state_dict())


def build(config: Model, layers: Mapping[str, Sequence[str]], tokenizer: PreTrainedTokenizerFast) -> Tagger:
    """Make the network that `config` names: an encoder from the Hub or a folder, or one with random weights.

    Raises:
        UserError: the encoder cannot be loaded.
    """
    return Tagger(network(config, tokenizer, AutoModel), layers)


def network(config: Model, tokenizer: PreTrainedTokenizerFast, kind: Any) -> PreTrainedModel:
    """Make what `config` names as a model of the class `kind` (`AutoModel`, `AutoModelForMaskedLM`).

    Raises:
        UserError: it cannot be loaded.
    """
    own = None if torch.cuda.is_available() else "eager"  # None: the best that the architecture has, which is not sdpa for all (DeBERTa)
    options: dict[str, Any] = {"attn_implementation": own if config.attention == "auto" else config.attention}
    vocabulary = len(tokenizer)
    if config.path is None:
        shape = _scratch(config.scratch, vocabulary, tokenization.special_ids(tokenizer))
        return kind.from_config(_drop(shape, config.dropout), **options)
    model = _load(config.path, kind, config.dropout, options)
    if model.get_input_embeddings().num_embeddings < vocabulary:
        raise UserError(
            f"model.path: {config.path}: its tokenizer has {vocabulary} pieces, more than the encoder has; they do not belong together"
        )
    return model


def positions(encoder: PreTrainedModel) -> int:
    """How many tokens the encoder can read at once: its positions, less those that the RoBERTa family keeps for padding."""
    table = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    reserved = 0 if padding is None else padding + 1
    limit = getattr(encoder.config, "max_position_embeddings", None) or 1 << 30
    return limit - reserved


def head_config(config: PreTrainedConfig, labels: Sequence[str]) -> PreTrainedConfig:
    """The encoder's config with the tags of a layer in it."""
    own = deepcopy(config)
    names = words.tag_names(labels)
    own.id2label, own.label2id = dict(enumerate(names)), {name: i for i, name in enumerate(names)}
    own.architectures = [type(_shell(own)).__name__]
    own.dtype = "float32"
    vars(own).pop("auto_map", None)  # code of the encoder's own, which was not run and does not lie beside
    return own


def _shell(config: PreTrainedConfig) -> PreTrainedModel:
    """`AutoModelForTokenClassification` for this config, without memory behind its weights."""
    with torch.device("meta"):
        return AutoModelForTokenClassification.from_config(config)


def head(config: PreTrainedConfig, tags: int) -> nn.Sequential:
    """What the standard model puts after its encoder: everything but the encoder, in order (dropout and classifier in most)."""
    small = deepcopy(config)
    small.num_hidden_layers, small.vocab_size = 1, 256  # the head depends on neither
    small.pad_token_id = 0
    small.num_labels = tags
    model = AutoModelForTokenClassification.from_config(small)
    return nn.Sequential(OrderedDict((name, module) for name, module in model.named_children() if name != model.base_model_prefix))


def silver_head(config: PreTrainedConfig, layer: str, labels: int) -> nn.Module:
    """The head of a silver layer: one that fine-tuning has as well gets what it will have, to start from; the others are linear."""
    return head(config, labels) if layer in LAYERS else nn.Linear(config.hidden_size, labels)


def _scratch(shape: Scratch, vocabulary: int, ids: Mapping[str, int]) -> PreTrainedConfig:
    """A small ModernBERT: its rotary positions and local attention learn from a hundred articles what learnt positions do not."""
    return ModernBertConfig(
        vocab_size=vocabulary,
        hidden_size=shape.hidden_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.hidden_size * 3 // 2,  # gated, so as many weights as twice that
        local_attention=shape.local,
        layer_types=["sliding_attention"] * (shape.layers - 1) + ["full_attention"],
        attention_dropout=0.0,
        embedding_dropout=shape.dropout,
        mlp_dropout=shape.dropout,
        classifier_dropout=shape.dropout,
        **ids,
    )


def _drop(config: PreTrainedConfig, dropout: float | None) -> PreTrainedConfig:
    """Set every dropout of a config, whatever its family calls them; modules read it when they are made."""
    for key, value in config.to_dict().items():
        if dropout is not None and "dropout" in key and isinstance(value, float | int) and not isinstance(value, bool):
            setattr(config, key, dropout)
    return config


def _load(path: str, kind: Any, dropout: float | None, options: Mapping[str, Any]) -> PreTrainedModel:
    """Load a model; nothing in it is executed or unpickled."""
    try:
        config = _drop(AutoConfig.from_pretrained(path, trust_remote_code=False), dropout)
        model, found = kind.from_pretrained(
            path, config=config, use_safetensors=True, trust_remote_code=False, dtype=torch.float32, output_loading_info=True, **options
        )
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, AttributeError, SafetensorError, StrictDataclassError) as error:
        raise tokenization.unloadable(path, "encoder", error) from None
    _refuse_random(path, model, found["missing_keys"])
    return model


def _refuse_random(path: str, model: PreTrainedModel, missing: Iterable[str]) -> None:
    """Refuse an encoder of which the file had not all weights: the others would be random. What lies above it may be new."""
    encoder = {name.partition(f"{model.base_model_prefix}.")[2] or name for name in missing}
    lost = sorted(encoder & {name for name in model.base_model.state_dict() if not name.startswith("pooler.")})
    if lost:
        raise UserError(
            f"model.path: {path}: has no weights for {len(lost)} tensors of {type(model.base_model).__name__} ({', '.join(lost[:2])}, …); "
            f"save the model again with save_pretrained of transformers"
        )
