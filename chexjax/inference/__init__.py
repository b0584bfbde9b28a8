"""Films in; logits, maps and boxes out."""
