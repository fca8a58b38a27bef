//! Layers as bytes: tar entries, the frozen gzip encoder, decompression, whiteouts.

pub mod decompress;
pub mod gzip;
pub mod tar;
