"""Other people's predictions: read, and checked before anything is scored."""
