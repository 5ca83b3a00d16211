"""The JSON API as a form of publication: its collections, documents and description, which the server
and the files for static hosts share.
"""
