"""A function with the decorator of morph-kgc."""

VALUE = "http://users.ugent.be/~bjdmeest/function/grel.ttl#valueParam"


@udf(fun_id="http://example.com/toUpperCase", text=VALUE)  # noqa: F821  # defined where it is run
def to_upper_case(text):
    return text.upper()
