"""The JSON API over HTTP: `publish/api` says what it answers."""
