"""The machine below: scratch folders, supervised processes, atomic files and folders, faults of
memory and disk.
"""
