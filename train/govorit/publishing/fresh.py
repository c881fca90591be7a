"""What plain transformers make of a published folder: a program for a fresh process, which knows nothing of govorit.

python -P fresh.py FOLDER WORK: reads the texts in WORK/texts.json with each layer of FOLDER that is named in WORK/layers.json. What the
pipeline finds goes to WORK/spans.json, the ids and logits of every token to WORK/logits.safetensors, under LAYER.NUMBER.
"""

import json
import sys
from pathlib import Path


def main(folder: Path, work: Path) -> None:
    from safetensors.torch import save_file
    from transformers import pipeline

    texts, layers = (json.loads((work / f"{name}.json").read_text(encoding="utf-8")) for name in ("texts", "layers"))
    tensors, spans = {}, {}
    for layer in layers:
        read = pipeline("token-classification", str(folder / layer), aggregation_strategy="first", device="cpu")
        seen: list = []
        read.model.register_forward_hook(lambda _model, _given, answer, seen=seen: seen.append(answer.logits[0].float()))
        found = [read(text) for text in texts]
        for number, text in enumerate(texts):
            tensors[f"{layer}.{number}.ids"] = read.tokenizer(text, return_tensors="pt").input_ids[0]
            tensors[f"{layer}.{number}.logits"] = seen[number].contiguous()
        spans[layer] = [[(int(span["start"]), int(span["end"]), span["entity_group"]) for span in one] for one in found]
    save_file(tensors, work / "logits.safetensors")
    (work / "spans.json").write_text(json.dumps(spans), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
