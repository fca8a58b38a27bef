//! Builds Dockerfiles without RUN in this process, with the digests that BuildKit gives.
