"""Dumps and the catalogue: DCAT-AP.de, VoID, CSVW, citation, web server configuration."""
