"""docs/classifier.md, made of the cards that training wrote: no picture is looked at again."""
