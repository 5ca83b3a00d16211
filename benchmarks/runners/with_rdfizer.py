"""Runs SDM-RDFizer on a configuration file: with_rdfizer.py CONFIG.

It imports pyodbc at its start, which needs a system library for SQL Server that no CSV or JSON file
needs; an empty module replaces it.
"""

import runpy
import sys
import types

sys.modules["pyodbc"] = types.ModuleType("pyodbc")
sys.argv = ["rdfizer", "-c", sys.argv[1]]
runpy.run_module("rdfizer", run_name="__main__")
