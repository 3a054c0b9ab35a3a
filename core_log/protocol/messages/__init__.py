"""The messages that the broker speaks, one module per API: request, answer and their structures."""
