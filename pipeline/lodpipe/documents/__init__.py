"""Files to trees and tables with positions: YAML, JSON, CSV."""
