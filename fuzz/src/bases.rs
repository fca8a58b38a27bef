//! What the native engine makes of base images: their layers, and the users and groups in them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use repro::parts::build::{Engine, ImageForm, Inputs, Parameters, Plan, RunSurroundings, Surroundings};
use repro::parts::digest::Digest;
use repro::parts::dockerfile::parse;
use repro::parts::engine::native::{Native, Sources};
use repro::parts::image::Document;
use repro::parts::lockfile::Pin;
use repro::parts::registry::ImageDocument;
use repro::parts::resolve::{Checkout, LockedImage};
use repro::parts::status::Failure;

const REFERENCE: &str = "base.example/a:1";

/// A base image of one layer.
struct Base {
    manifest: String,
    config: String,
    layer: PathBuf,
}

impl Base {
    fn of(layer: &[u8], path: PathBuf) -> Self {
        std::fs::write(&path, layer).expect("room for a layer");
        let (digest, size) = (Digest::of(layer), layer.len());
        let config = format!(
            r#"{{"architecture":"amd64","os":"linux","config":{{}},"history":[{{"created_by":"x"}}],"rootfs":{{"type":"layers","diff_ids":["{digest}"]}}}}"#
        );
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{digest}","size":{size}}}]}}"#,
            Digest::of(config.as_bytes()),
            config.len()
        );
        Self { manifest, config, layer: path }
    }
}

impl Sources for Base {
    fn image(&self, _: &Pin, _: Digest) -> Result<LockedImage, Failure> {
        let limits = super::limits();
        Ok(LockedImage {
            manifest: Document::parse(self.manifest.clone().into_bytes(), &limits)?,
            config: Document::parse(self.config.clone().into_bytes(), &limits)?,
        })
    }

    fn document(&self, _: &Pin) -> Result<ImageDocument, Failure> {
        unreachable!("nobody is served")
    }

    fn blob(&self, _: &str, _: Digest, _: u64) -> Result<PathBuf, Failure> {
        Ok(self.layer.clone())
    }

    fn http(&self, _: &str, _: Digest) -> Result<PathBuf, Failure> {
        unreachable!("no file is asked for")
    }

    fn git(&self, _: &str, _: &str) -> Result<Arc<Checkout>, Failure> {
        unreachable!("no repository is asked for")
    }

    fn bundle(&self, _: &str, _: &str) -> Result<Option<PathBuf>, Failure> {
        unreachable!("nobody is served")
    }
}

/// The diff IDs of what is built upon a layer; none where that is refused.
fn build(layer: &[u8], dockerfile: &str) -> Option<Vec<String>> {
    let directory = tempfile::tempdir().expect("room for a directory");
    let base = Base::of(layer, directory.path().join("layer"));
    let digest = Digest::of(base.manifest.as_bytes());
    let platform: repro::parts::platform::Platform = "linux/amd64".parse().expect("a platform");
    let limits = super::limits();
    let plan = Plan {
        image: "a".to_owned(),
        platform: platform.clone(),
        epoch: "1700000000".parse().expect("an epoch"),
        inputs: Inputs {
            dockerfile: Arc::new(parse(dockerfile.as_bytes(), &limits).expect("a Dockerfile")),
            dockerfile_path: "Dockerfile".into(),
            context: Arc::default(),
            contexts: BTreeMap::new(),
        },
        parameters: Parameters::default(),
        pins: vec![Pin::Image {
            request: REFERENCE.to_owned(),
            digest,
            platforms: BTreeMap::from([(platform, digest)]),
        }],
        run: RunSurroundings::default(),
        form: ImageForm::default(),
        no_cache: true,
    };
    let work = directory.path().join("work");
    let engine = Native::new(Arc::new(base));
    let checked = engine.check(&plan).ok()?;
    let built = checked.build(&Surroundings::new(&work, &limits)).ok()?;
    Some(built.layers.iter().map(|layer| layer.diff_id().to_string()).collect())
}

/// A layer, upon which something is built.
pub fn layer(data: &[u8]) {
    let dockerfile = format!(
        "FROM {REFERENCE} AS a\nWORKDIR /etc/new\nCOPY <<x /usr/x\ny\nx\nFROM {REFERENCE}\nCOPY --from=a /etc /made/\nCOPY --from=a --parents /./usr/*/ /\n"
    );
    let _ = build(data, &dockerfile);
}

/// `/etc/passwd`, and after a NUL `/etc/group`: an owner is looked up in them.
pub fn owners(data: &[u8]) {
    let mut parts = data.splitn(2, |&byte| byte == 0);
    let mut archive = tar::Builder::new(Vec::new());
    for name in ["etc/passwd", "etc/group"] {
        let text = parts.next().unwrap_or_default();
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, text).expect("a tar in memory");
    }
    let layer = archive.into_inner().expect("a tar in memory");
    let copied = build(&layer, &format!("FROM {REFERENCE}\nCOPY --chown=app:team <<x /x\ny\nx\n"));
    let made = build(&layer, &format!("FROM {REFERENCE}\nUSER app:team\nWORKDIR /w\n"));
    assert_eq!(copied.is_some(), made.is_some());
}
