//! The Dockerfile language: what BuildKit sees in a Dockerfile, and which outside sources a target uses.
