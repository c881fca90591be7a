"""Corpora of articles and of raw text: loaded, checked, split, labelled by silver teachers, packed to pre-train on."""
