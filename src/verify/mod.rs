//! Rebuild, compare, verdict.
