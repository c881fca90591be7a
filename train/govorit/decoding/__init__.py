"""Scores of words -> an article. What the decoder knows beside the scores: rules as hints, boundaries, links."""
