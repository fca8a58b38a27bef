//! JSON: strict reading, and Go's way of writing.
