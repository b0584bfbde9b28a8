"""A model's scores, maps and boxes beside the truth, a row per image or box."""
