//! Image references as the distribution tools read them.
