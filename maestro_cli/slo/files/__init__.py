"""Files that people write about objectives, read strictly, whatever format they are in."""
