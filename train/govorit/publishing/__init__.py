"""What is given away: a folder that plain transformers load, its card, graphs for other engines, and the proof that they read alike."""

DTYPES = {"fp16": "float16", "fp32": "float32"}  # of weights as they are stored: ours -> torch's
ARTICLES = 50  # that are read again to see whether a published model reads as the run did
