//! OCI and Docker image documents, layouts and archives.
