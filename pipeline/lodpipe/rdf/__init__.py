"""RDF itself: datatypes, Turtle and JSON-LD writers, SPARQL syntax."""
