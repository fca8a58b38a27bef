//! Bounds on everything that input controls, by name; `--limit NAME=VALUE` raises one.

/// One bound was exceeded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{object}: limit `{name}` of {limit} exceeded; `--limit {name}=VALUE` raises it")]
pub struct LimitExceeded {
    /// The limit's name, as `--limit` takes it.
    pub name: &'static str,
    /// Its value.
    pub limit: u64,
    /// What went over it, already safe to print.
    pub object: String,
}

macro_rules! limits {
    ($($(#[$doc:meta])* $field:ident = $name:literal, $default:expr;)*) => {
        /// All limits with their values; [`Limits::default`] has the documented ones.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[$doc])* pub $field: u64,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl Limits {
            /// The names and values, in the documented order.
            pub fn list(&self) -> Vec<(&'static str, u64)> {
                vec![$(($name, self.$field),)*]
            }

            /// Sets the limit called `name`; false if there is none.
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $($name => self.$field = value,)*
                    _ => return false,
                }
                true
            }
        }
    };
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

limits! {
    /// Bytes of `repro.toml`.
    manifest_file = "manifest-file", MIB;
    /// Bytes of a Dockerfile.
    dockerfile = "dockerfile", MIB;
    /// Instructions of a Dockerfile, `FROM` among them.
    instructions = "instructions", 10_000;
    /// Stages of a Dockerfile.
    stages = "stages", 1000;
    /// Bytes of a `.dockerignore`.
    ignore_file = "ignore-file", MIB;
    /// Bytes of `repro.lock`.
    lock_file = "lock-file", 8 * MIB;
    /// Bytes of a tape file.
    tape_file = "tape-file", 64 * MIB;
    /// Lines of a tape file.
    tape_lines = "tape-lines", 200_000;
    /// Bytes of one body on a tape.
    tape_body = "tape-body", 8 * GIB;
    /// Bytes of the body of one request by a step, which is kept until it was answered.
    tape_request = "tape-request", MIB;
    /// Bytes of all bodies that one recording takes.
    tape_bytes = "tape-bytes", 64 * GIB;
    /// Bytes of one index, image manifest, config or `manifest.json`.
    json_bytes = "json-bytes", 4 * MIB;
    /// Nesting inside one JSON document.
    json_depth = "json-depth", 128;
    /// Bytes of one string inside one JSON document.
    json_string = "json-string", MIB;
    /// Bytes of one file of attestations.
    attest_file = "attest-file", 16 * MIB;
    /// Bytes of one attestation.
    attest_line = "attest-line", 4 * MIB;
    /// Attestations of one file.
    attest_lines = "attest-lines", 10_000;
    /// Descriptors in one index.
    index_manifests = "index-manifests", 1024;
    /// Levels of indexes; `index.json` is level 1.
    index_depth = "index-depth", 4;
    /// Layers in one image manifest.
    image_layers = "image-layers", 512;
    /// Items in one config's history.
    history = "history", 4096;
    /// Compressed bytes of one blob.
    blob = "blob", 32 * GIB;
    /// Decompressed bytes of one layer, and the sum of the file sizes that it claims.
    layer_bytes = "layer-bytes", 64 * GIB;
    /// Decompressed bytes of one image.
    image_bytes = "image-bytes", 128 * GIB;
    /// Expansion of one layer, looked at beyond `layer-ratio-from`.
    layer_ratio = "layer-ratio", 1100;
    /// Decompressed bytes from which `layer-ratio` counts.
    layer_ratio_from = "layer-ratio-from", 256 * MIB;
    /// Window of zstd streams, as a power of two.
    zstd_window_log = "zstd-window-log", 27;
    /// Headers in one layer, extension headers included.
    tar_entries = "tar-entries", 5_000_000;
    /// Bytes of one path inside a layer.
    tar_name = "tar-name", 4096;
    /// Bytes of one PAX header, GNU long name or sparse map.
    tar_meta_bytes = "tar-meta-bytes", MIB;
    /// Bytes of one extended attribute.
    xattr = "xattr", 64 * KIB;
    /// Members of one image archive or layout.
    archive_members = "archive-members", 200_000;
    /// Bytes of all documents of one image archive or layout, which are kept until it was read.
    archive_documents = "archive-documents", GIB;
    /// Descriptors in all documents of one image archive or layout.
    archive_descriptors = "archive-descriptors", 200_000;
    /// Steps of searches through the documents and layers of one image archive or layout.
    archive_steps = "archive-steps", 10_000_000;
    /// Violations, and notes, that a report tells; all are counted.
    report_items = "report-items", 1000;
    /// Bytes of the documents whose details a report tells.
    report_details = "report-details", 16 * MIB;
    /// Bytes of the listings in one report.
    report_bytes = "report-bytes", 64 * MIB;
    /// Bytes of the headers of one layer that is compared with another.
    compare_bytes = "compare-bytes", 4 * GIB;
    /// Entries of the layers that are compared at once.
    compare_entries = "compare-entries", 2_000_000;
    /// Bytes of one differing file that are looked into; both sides' are kept meanwhile.
    look_file = "look-file", 128 * MIB;
    /// Bytes of all differing files of one image that are looked into.
    look_files = "look-files", 8 * GIB;
    /// Bytes that looking into one pair of differing files may read, unpack and parse; what is unpacked is kept meanwhile.
    look_bytes = "look-bytes", 512 * MIB;
    /// Levels of files inside files that are looked into.
    look_depth = "look-depth", 4;
    /// Bytes of all headers of one HTTP response.
    http_header = "http-header", 64 * KIB;
    /// Bytes of one token response.
    token_body = "token-body", 64 * KIB;
    /// Bytes of one error response.
    error_body = "error-body", 64 * KIB;
    /// Bytes kept of an engine's log.
    log = "log", 10 * MIB;
    /// Files of one context.
    context_files = "context-files", 2_000_000;
    /// Bytes of one context.
    context_bytes = "context-bytes", 64 * GIB;
    /// Patterns tried against names while one context is chosen; a pattern that takes long counts for several.
    context_steps = "context-steps", 500_000_000;
    /// Directories below each other in one context.
    context_depth = "context-depth", 256;
    /// Seconds until a connection stands.
    connect_time = "connect-time", 15;
    /// Seconds until the headers of an HTTP response are there.
    response_time = "answer-time", 60;
    /// Seconds between two parts of an HTTP body.
    idle_time = "idle-time", 60;
    /// Seconds that one engine run may take.
    build_time = "build-time", 24 * 3600;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_set_by_its_name_only() {
        let mut limits = Limits::default();
        assert!(limits.set("layer-bytes", 7) && limits.layer_bytes == 7);
        assert!(!limits.set("layer_bytes", 7));
        assert!(limits.list().contains(&("layer-bytes", 7)));
    }
}
