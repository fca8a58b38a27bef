//! Manifest, Dockerfile and tree against the lockfile: one enum, one variant a reason.
