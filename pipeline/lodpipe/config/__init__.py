"""What a publication declares of itself: publication.yaml and the ontology."""
