"""The network: encoder, heads, tokenizer, and what changes them: vectors, adapters, local attention in blocks."""
