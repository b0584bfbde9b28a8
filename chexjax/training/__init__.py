"""State, steps, checkpoints and the loop; knows no data and no flags."""
