//! Parses the command line, runs it, ends with its status.

fn main() {}
