"""What one prediction is worth against the truth."""
