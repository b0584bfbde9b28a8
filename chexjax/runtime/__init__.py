"""What surrounds a computation on a machine.

- `cache_home`: where phantoms, records and programs are kept
- `cache_folder`: what is kept there, and its removal
- `compile_cache`: traced and compiled programs kept on disk
- `compile_messages`: a step that reports its compilation
- `drawing`: initial weights of a function that is not compiled
- `memory`: huge pages, free memory
- `operation_count`: FLOPs and bytes counted from a jaxpr
- `processes`: several processes that are one run
- `provenance`: command, versions and revision behind a result
- `sharding`: placement of arrays on a mesh of devices
"""
