"""The publication as tools for agents (language models), by the Model Context Protocol."""
