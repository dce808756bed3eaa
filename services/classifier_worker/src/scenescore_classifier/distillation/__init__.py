"""Teaching the product's network what a larger one sees, on photographs that nobody has labelled."""
