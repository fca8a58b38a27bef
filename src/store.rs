//! Atomic files, advisory locks, and the content-addressed cache.
