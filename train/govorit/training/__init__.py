"""Training loops, the search for settings, and what they tell while they run."""
