//! Causes in how the same files are packaged.

use super::cause::{Cause, Class};

/// These causes, sorted by code.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        code: "C010",
        name: "compressor-bytes",
        class: Class::Packaging,
        sentence: "the same layer, compressed by another encoder",
        help: "compare diff IDs, or store layers with `compression = \"uncompressed\"`",
        fix: None,
    },
    Cause {
        code: "C011",
        name: "compression-kind",
        class: Class::Packaging,
        sentence: "the same layer, in another compression",
        help: "choose one `compression` for both",
        fix: None,
    },
    Cause {
        code: "C012",
        name: "media-types",
        class: Class::Packaging,
        sentence: "the same content under media types of another family",
        help: "choose one of `media-types = \"oci\"` and `\"docker\"` for both",
        fix: None,
    },
    Cause {
        code: "C013",
        name: "rewrite-mark",
        class: Class::Packaging,
        sentence: "the note that times were rewritten is missing or another one",
        help: "export both with `rewrite-timestamp=true`",
        fix: None,
    },
    Cause {
        code: "C014",
        name: "annotations",
        class: Class::Packaging,
        sentence: "an annotation differs",
        help: "give the same `annotations` to both",
        fix: None,
    },
    Cause {
        code: "C015",
        name: "index-attestation",
        class: Class::Packaging,
        sentence: "the index differs only in attestations",
        help: "compare image manifests, or build without provenance and SBOM",
        fix: None,
    },
    Cause {
        code: "C016",
        name: "index-shape",
        class: Class::Packaging,
        sentence: "the same image manifests, listed in another way",
        help: "compare image manifests",
        fix: None,
    },
    Cause {
        code: "C017",
        name: "json-form",
        class: Class::Packaging,
        sentence: "the same document, written by another serialiser",
        help: "write both with the same tool",
        fix: None,
    },
    Cause {
        code: "C018",
        name: "archive-wrapper",
        class: Class::Packaging,
        sentence: "the same image in another form of archive",
        help: "compare digests of images, not of archives",
        fix: None,
    },
    Cause {
        code: "C019",
        name: "layer-split",
        class: Class::Packaging,
        sentence: "the same files, divided into other layers",
        help: "build both with the same engine and the same options",
        fix: None,
    },
];
