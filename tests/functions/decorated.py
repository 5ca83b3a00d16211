"""A function with the decorator of morph-kgc."""


@udf(fun_id="http://example.com/toUpperCase", text="http://users.ugent.be/~bjdmeest/function/grel.ttl#valueParam")  # noqa: F821  # defined where the file is run
def to_upper_case(text):
    return text.upper()
