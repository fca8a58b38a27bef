//! What comes out of a build, read as hostile input and compared with what was asked for.
//!
//! `image` reads the archive that the client wrote (its members through `archive`, its new layers through
//! `layer_times`) and holds it against the client's claims; `base` puts the pin's layers in the place of the daemon's.
//! `materials` compares the sources that the daemon recorded with the pins, `downloads` their times, `history`
//! refuses what BuildKit made up, `requests` are a taped build's.

mod archive;
pub mod base;
pub mod downloads;
pub mod history;
mod image;
mod layer_times;
pub mod materials;
mod requests;

pub use image::OutputReader;
pub use requests::requests;
