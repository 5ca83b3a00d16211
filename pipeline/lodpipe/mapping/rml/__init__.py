"""RML (and R2RML) graphs read into the model of a mapping, one module for each part of the specification."""
