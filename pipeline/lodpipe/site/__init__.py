"""The pages: everything that dist/ says, to look at, to search and to query, from static files
alone.
"""
