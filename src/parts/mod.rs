//! The parts of the library that integration tests, benches and fuzz targets reach into, and nothing else.
//!
//! The crate's own modules are private, so that the compiler finds what nobody uses. What is named here counts as used;
//! `cargo rustc --lib --profile check -- --cfg binary_alone` leaves this directory out and tells what only tests use;
//! `tests/run` refuses it. `shorthand` holds what tests alone need, `buildkit` what a fuzz target does.

#![allow(missing_docs, reason = "each stands for the module of its name")]

mod buildkit;
mod shorthand;

pub mod attest {
    pub use crate::attest::bundle;
    pub use crate::attest::envelope::{Envelope, signed_bytes};
    pub use crate::attest::key::{KeyType, PublicKey, SigningKey};
    pub use crate::attest::line::{Content, Line, Lines, RawLine};
    pub use crate::attest::policy::Policy;
    pub use crate::attest::quorum::{Asked as AskedImage, Judged, Rules, decide, judge};
    pub use crate::attest::statement::Statement;
    pub use crate::attest::summary::Summary;
    pub use crate::attest::trust::{Auditor, Trust};
    pub use crate::attest::trust_file::TrustFile;
}
pub mod bounds {
    pub use crate::bounds::Bounds;
}
pub mod build {
    pub use crate::build::{
        AssembledPlatform, Blob, Built, BuiltLayer, Engine, ImageForm, Inputs, Parameters, Plan, PlannedContext,
        RunSurroundings, Surroundings, assemble, assemble_index,
    };
}
pub mod cancel {
    pub use crate::cancel::Cancel;
}
pub mod cli {
    pub mod arguments {
        pub use crate::cli::arguments::{Arguments, SchemaName};
    }
    pub mod command {
        pub mod schema {
            pub use crate::cli::command::schema::text;
        }
    }
}
pub mod config {
    pub use crate::config::Config;
}
pub mod context {
    pub use crate::context::ignore::read_lines;
    pub use crate::context::{Content, Entry, EntryKind, Error, Request, Surroundings, Tree, read, stage};
    pub use crate::context::{Effort, Patterns as Rules};
}
pub mod delta {
    pub use crate::delta::{Delta, Side, apply};
}
pub mod digest {
    pub use crate::digest::{Algorithm, AnyDigest, DiffId, Digest, Hasher, Hashing};
}
pub mod dockerfile {
    pub use crate::dockerfile::{DockerfileError, parse};
    pub mod shell {
        pub use crate::dockerfile::shell::{Budget, Lexer};
    }
    pub mod sources {
        pub use crate::dockerfile::sources::Sources;
    }
    pub mod syntax {
        pub use crate::dockerfile::syntax::Escape;
    }
    pub mod target {
        pub use crate::dockerfile::target::{Question, ResolveError, Target, resolve};
        pub use crate::parts::shorthand::UnknownImages;
    }
}
pub mod engine {
    pub mod buildkit {
        pub use crate::engine::buildkit::{BuildKit, Host};
        pub use crate::parts::buildkit::{read_archive, read_log, read_record};
    }
    pub mod native {
        pub use crate::engine::native::Native;
        pub use crate::engine::sources::Sources;
    }
}
pub mod epoch {
    pub use crate::epoch::{Epoch, rfc3339};
}
pub mod explain {
    pub use crate::explain::causes::all as causes;
    pub use crate::parts::shorthand::look_into;
}
pub mod escape {
    pub use crate::escape::is_dangerous;
}
pub mod git {
    pub use crate::git::{Attributes, Error, head_commit_time};
}
pub mod http {
    pub use crate::http::server::Head;
    pub use crate::http::{Client, HttpError, Offline, Proxies, Request, Retry, Secret, Settings, Timeouts, Url};
}
pub mod image {
    pub use crate::image::{Artifact, Config, Descriptor, DescriptorPlatform, Document, ImageManifest, Index, Layout};
    pub mod archive {
        pub use crate::image::archive::{Archive, Surroundings};
    }
    pub mod config {
        pub use crate::image::config::HistoryItem;
    }
    pub mod document {
        pub use crate::image::document::View;
    }
    pub mod media_type {
        pub use crate::image::media_type::{Family, LayerCompression, OCI_INDEX};
    }
    pub mod time {
        pub use crate::image::time::Time;
    }
    pub mod validate {
        pub use crate::image::validate::{Closure, ImageFacts, Selection, check};
    }
    pub mod write {
        pub use crate::image::write::{OpenBlob, Writable};
    }
}
pub mod imports {
    pub use crate::imports::{RecordedBuild, Surroundings, carry, read_document, read_policy};
}
pub mod json {
    pub use crate::json::scan::scan;
}
pub mod layer {
    pub use crate::layer::{Examination, Listed, Workspace};
    pub mod decompress {
        pub use crate::layer::decompress::{Compression, Decompressor};
    }
    pub mod gzip {
        pub use crate::layer::gzip::{Encoder, ParallelEncoder};
    }
    pub mod tar {
        pub use crate::layer::tar::{Entry, Kind, Reader, Writer};
    }
}
pub mod limits {
    pub use crate::limits::Limits;
}
pub mod lint {
    pub use crate::lint::{RULES, severity_name};
    pub use crate::parts::shorthand::spans;
}
pub mod lockfile {
    pub use crate::lockfile::merge::{MergeError, Merged};
    pub use crate::lockfile::{
        BuildkitPin, Fact, ImageLock, Lockfile, LockfileError, Lookup, Pin, PlatformRecord, Record, Request, Selection,
        Side, SourceKind, Wanted, WantedImage, WantedSource, fact_key, lookups, merge, update,
    };
}
pub mod layered {
    pub use crate::layered::{Closure, Description, Form, Surroundings};
}
pub mod manifest {
    pub use crate::manifest::{
        Compression, EpochSource, Manifest, ManifestErrors, MediaTypes, NamedContext, Network, Recipe, render, schema,
    };
}
pub mod platform {
    pub use crate::platform::Platform;
}
pub mod process {
    pub use crate::process::{Environment, Programs};
}
pub mod progress {
    pub use crate::parts::shorthand::Silent;
    pub use crate::progress::{Progress, Reporter};
}
pub mod reference {
    pub use crate::reference::Reference;
}
pub mod registry {
    pub use crate::registry::challenge::choose;
    pub use crate::registry::push::artifact::Pushed;
    pub use crate::registry::{ImageDocument, Logins, OpenBlob, Registry, RegistryError};
}
pub mod render {
    pub use crate::render::{DiffDocument, html, junit, markdown, tree};
}
pub mod resolve {
    pub use crate::resolve::{Checkout, Git, LockedImage, Request, ResolveError, Resolved, Resolver, Standing};
    pub mod matching {
        pub use crate::resolve::matching::serving;
    }
}
pub mod scrub {
    pub use crate::scrub::PROFILES;
}
pub mod status {
    pub use crate::status::{ExitStatus, Failure, Status};
}
pub mod store {
    pub use crate::store::{Cache, TemporaryDirectory};
}
pub mod tape {
    pub use crate::tape::Tape;
}
