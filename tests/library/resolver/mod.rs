//! The network floors against servers that misbehave, on loopback and in this process.

mod client;
mod git;
mod push;
mod registry;
mod rig;
mod sources;
mod surroundings;
