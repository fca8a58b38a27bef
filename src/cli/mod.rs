//! The command line: one file a command; the only place that knows clap, colours, stdout, the environment and the clock.
