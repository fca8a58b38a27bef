//! The configuration of the user and the machine: mirrors, certificates, plain HTTP.
