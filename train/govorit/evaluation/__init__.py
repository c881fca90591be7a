"""How good a reading is, how sure that is, where it fails, and the report that says so. No torch."""
