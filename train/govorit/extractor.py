"""Read articles with a trained model: `Extractor.load(folder)(texts) -> Articles`. Knows nothing of training, config or reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from govorit import contract as contracts
from govorit import formats, windows
from govorit.article import COVERS, Article
from govorit.contract import Contract
from govorit.decoding import decode
from govorit.decoding.aids import NO_AIDS, Aids
from govorit.decoding.hints import SYNTAX
from govorit.decoding.links import SIZE, VECTORS
from govorit.engines import Engine, OnnxEngine, find_graph
from govorit.errors import UserError
from govorit.network import tokenization
from govorit.windows import Tokens, Window

_OF_GOLD = ("layers", COVERS, formats.LEFT_OUT)  # what `meta` says of annotation that is replaced


class Extractor:
    """A network with what belongs around it: tokenizer, windows, and what the decoder needs beside scores.

    Example:
        >>> extractor = Extractor.load("outputs/…/model")
        >>> extractor(["«Да», — сказал Иван Петров."])[0].quotes[0].kind
        'direct'
    """

    def __init__(self, engine: Engine, tokenizer: Tokenizer, contract: Contract, aids: Aids = NO_AIDS) -> None:
        self.engine, self.tokenizer, self.contract, self.aids = engine, tokenizer, contract, aids
        self.frame = windows.Frame(tokenizer)

    @classmethod
    def load(cls, folder: str | Path, engine: str = "auto", threads: int = 0, places: str | None = None) -> Extractor:
        """Load a checkpoint that training has written.

        Args:
            engine: `torch`, on a GPU where there is one; `onnx`, which needs the checkpoint's graph; or `auto`: the graph where there is
                one, else torch.
            threads: of the processor, for the network; 0 leaves it to the engine.
            places: another of :data:`govorit.contract.PLACES` than the checkpoint's own.

        Raises:
            UserError: the folder is not such a checkpoint, is damaged, or has no graph where one is asked for.
        """
        folder = Path(folder)
        contract = contracts.load(folder)
        if places is not None:
            contract = replace(contract, places=places)
        tokenizer = tokenization.read(folder / contract.first)
        graph = None if engine == "torch" else find_graph(folder)
        if graph is None and engine == "onnx":
            raise UserError(f"{folder}: has no ONNX graph; write one with scripts/publish.py --int8, or read it with torch")
        network = OnnxEngine(graph, threads) if graph else _torch(folder, contract, threads)
        return cls(network, tokenizer, contract, Aids.read(folder))

    def __call__(self, texts: Iterable[str], batch_tokens: int = 2048) -> list[Article]:
        """Read texts; their articles are named by their number.

        Raises:
            TypeError: one text in place of several, or something that is no text.
        """
        if isinstance(texts, str | bytes):
            raise TypeError(f"texts: found one {type(texts).__name__}, expected a list of texts: extractor([text])")
        return list(self.read((_article(i, text) for i, text in enumerate(texts)), batch_tokens))

    def read(
        self,
        articles: Iterable[Article],
        batch_tokens: int = 2048,
        pool: int = 256,
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[Article]:
        """Read articles of any length, in their order, `pool` at a time; what is marked on them is replaced.

        `progress` is told, after each batch, how many tokens of how many of this pool are read.
        """
        source = iter(articles)
        while part := list(islice(source, pool)):
            yield from self._read_pool(part, batch_tokens, progress)

    def _read_pool(self, articles: Sequence[Article], batch_tokens: int, progress: Callable[[int, int], None] | None) -> Iterator[Article]:
        tokens = windows.tokenize_all([article.text for article in articles], self.tokenizer)
        for article, item, scores in zip(articles, tokens, self.score(tokens, batch_tokens, progress), strict=True):
            meta = {key: value for key, value in article.meta.items() if key not in _OF_GOLD}
            yield decode.decode(replace(article, meta=meta), item.bounds, scores, self.contract.layers, self.aids, self.contract.places)

    def score(
        self, tokens: Sequence[Tokens], batch_tokens: int, progress: Callable[[int, int], None] | None = None
    ) -> list[dict[str, np.ndarray]]:
        """Score every word of every article: for each layer (words, tags) log-probabilities, from the window where it is most central.

        With a link head, the vector of every word as well, (words, size), under `links.VECTORS`; with hints, what the network reads for
        the rules, (words,), under `hints.SYNTAX` and the name of each silver layer.
        """
        widths = {layer: 1 + 2 * len(names) for layer, names in self.contract.layers.items()} | ({VECTORS: SIZE} if self.aids.links else {})
        read = [SYNTAX + name for name in self.aids.hints.names] if self.aids.hints else []
        scores = [
            {key: np.zeros((len(item.heads), width), np.float32) for key, width in widths.items()}
            | {key: np.zeros(len(item.heads), np.int64) for key in read}
            for item in tokens
        ]
        pieces = windows.cut_all(tokens, self.contract.reading - self.frame.size, self.contract.overlap)
        sizes = [piece.end - piece.start + self.frame.size for piece in pieces]
        done = 0
        for batch in windows.batches(sizes, batch_tokens):
            chosen = [pieces[i] for i in batch]
            padded = self.frame.pad(chosen, tokens)
            answers = self.engine(padded.ids, padded.mask)
            for row, window in enumerate(chosen):
                for key, into in scores[window.article].items():
                    self._take(into, answers[key][row], window, tokens[window.article].heads)
            done += sum(sizes[i] for i in batch)
            if progress:
                progress(done, sum(sizes))
        return scores

    def _take(self, into: np.ndarray, values: np.ndarray, window: Window, heads: np.ndarray) -> None:
        first, last = np.searchsorted(heads, (window.own_start, window.own_end))
        into[first:last] = values[heads[first:last] - window.start + len(self.frame.before)]


def _article(number: int, text: str) -> Article:
    if not isinstance(text, str):
        raise TypeError(f"texts[{number}]: found {type(text).__name__}, expected str")
    return Article(str(number), text)


def _torch(folder: Path, contract: Contract, threads: int) -> Engine:
    import torch

    from govorit.checkpoint import load_tagger
    from govorit.engines import TorchEngine

    if threads:
        torch.set_num_threads(threads)
    return TorchEngine(load_tagger(folder, contract).to("cuda" if torch.cuda.is_available() else "cpu"))
