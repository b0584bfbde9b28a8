"""Sources of images, and the pipeline that batches them."""
