//! The HTTP client: bounded, checked, never downgraded.
