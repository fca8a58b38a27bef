//! The distribution protocol, client side.
