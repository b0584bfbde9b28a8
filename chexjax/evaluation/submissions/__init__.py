"""Other people's predictions, read and checked."""
