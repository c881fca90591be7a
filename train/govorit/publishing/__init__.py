"""What is given away: a folder that plain transformers load, its card, graphs for other engines, and the proof that they read alike."""
