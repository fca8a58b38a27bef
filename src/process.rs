//! Child processes: argv only, own environment, bounded output, stopped on a signal.
