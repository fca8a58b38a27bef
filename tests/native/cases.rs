//! The native engine against everything that BuildKit made of the golden cases (`tests/cases/native`).

#![allow(clippy::disallowed_macros, reason = "differences are told while it runs")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use repro::parts::bounds::Bounds;
use repro::parts::build::{
    AssembledPlatform, Blob, Engine, ImageForm, Inputs, Parameters, Plan, PlannedContext, RunSurroundings,
    Surroundings, assemble, assemble_index,
};
use repro::parts::cancel::Cancel;
use repro::parts::context;
use repro::parts::digest::Digest;
use repro::parts::dockerfile::parse;
use repro::parts::engine::native::{Native, Sources};
use repro::parts::image::media_type::Family;
use repro::parts::image::write::{OpenBlob, Writable};
use repro::parts::image::{Config, Descriptor, Document, ImageManifest, Index, Layout};
use repro::parts::limits::Limits;
use repro::parts::lockfile::Pin;
use repro::parts::platform::Platform;
use repro::parts::progress::Silent;
use repro::parts::reference::Reference;
use repro::parts::registry::ImageDocument;
use repro::parts::resolve::matching::serving;
use repro::parts::resolve::{Checkout, LockedImage};
use repro::parts::status::Failure;

use crate::golden::{Case, corpus};

/// The fixtures as layouts, by the reference that stands for them.
struct Fixtures(BTreeMap<String, Layout>);

impl Fixtures {
    fn of(bases: &Value) -> Self {
        let layout = |(reference, fixture): (&String, &Value)| {
            let directory = corpus().join("bases").join(fixture.as_str().unwrap());
            let reference: Reference = reference.parse().unwrap();
            (reference.with_default_tag().to_string(), Layout::open(&directory, &Limits::default()).unwrap())
        };
        Self(bases.as_object().unwrap().iter().map(layout).collect())
    }

    /// The pins that a lockfile has for builds of these platforms.
    fn pins(&self, wanted: &[Platform]) -> Vec<Pin> {
        let pin = |(request, layout): (&String, &Layout)| {
            let top = &layout.index().manifests[0];
            let mut platforms = BTreeMap::new();
            if top.media_type.contains("index") {
                let index: Document<Index> = layout.document(top, &Limits::default()).unwrap();
                let images = || index.manifests.iter().map(|image| (image.image_platform().unwrap(), image.digest));
                platforms.extend(images());
                for platform in wanted {
                    let found = serving(platform).iter().find_map(|served| images().find(|(image, _)| image == served));
                    platforms.extend(found.map(|(_, digest)| (platform.clone(), digest)));
                }
            }
            Pin::Image { request: request.clone(), digest: top.digest, platforms }
        };
        self.0.iter().map(pin).collect()
    }
}

impl Sources for Fixtures {
    fn image(&self, pin: &Pin, manifest: Digest) -> Result<LockedImage, Failure> {
        let (layout, limits) = (&self.0[pin.request()], Limits::default());
        let manifest: Document<ImageManifest> = layout.document_by_digest(manifest, &limits)?;
        let config: Document<Config> = layout.document(&manifest.config, &limits)?;
        Ok(LockedImage { manifest, config })
    }

    fn document(&self, pin: &Pin) -> Result<ImageDocument, Failure> {
        panic!("{} is served to nobody", pin.request())
    }

    fn blob(&self, request: &str, digest: Digest, size: u64) -> Result<PathBuf, Failure> {
        let layout = &self.0[request];
        layout.check_blob(&Descriptor::new("", digest, size))?;
        Ok(layout.blob_path(digest))
    }

    fn http(&self, url: &str, _digest: Digest) -> Result<PathBuf, Failure> {
        panic!("{url} is forbidden")
    }

    fn git(&self, request: &str, _: &str) -> Result<Arc<Checkout>, Failure> {
        panic!("no case takes the repository {request}")
    }

    fn bundle(&self, _: &str, _: &str) -> Result<Option<PathBuf>, Failure> {
        Ok(None)
    }
}

fn texts(map: &Value) -> BTreeMap<String, String> {
    let map = map.as_object().into_iter().flatten();
    map.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect()
}

impl Case {
    fn read_context(&self, name: &str, root: &Path, dockerfile: Option<&Path>) -> Result<context::Tree, String> {
        let request = context::Request { name, root, dockerfile, tracked_only: false, include: &[], paths: None };
        let (limits, cancel) = (Limits::default(), Cancel::default());
        let progress: repro::parts::progress::Reporter = Arc::new(Silent);
        let surroundings = context::Surroundings { limits: &limits, progress: &progress, cancel: &cancel, cache: None };
        context::read(&request, &surroundings).map_err(|error| error.to_string())
    }

    /// The plan without a platform; its files lie in `work`.
    fn plan(&self, work: &Path, pins: Vec<Pin>) -> Result<Plan, String> {
        let json = &self.json;
        let dockerfile_path = self.directory.join("Dockerfile");
        self.lay_out_context(&work.join("context"));
        let context = self.read_context("context", &work.join("context"), Some(&dockerfile_path))?;
        let mut contexts = BTreeMap::new();
        for name in self.lay_out_named_contexts(&work.join("contexts")) {
            let tree = self.read_context(&name, &work.join("contexts").join(&name), None)?;
            contexts.insert(name, PlannedContext::Local(Arc::new(tree)));
        }
        let epoch = match &json["source_date_epoch"] {
            Value::String(text) => text.parse().map_err(|error| format!("{error}"))?,
            number => repro::parts::epoch::Epoch::from_seconds(number.as_i64().unwrap()).unwrap(),
        };
        let builder = json["builder_platform"].as_str().unwrap_or("linux/amd64");
        let dockerfile =
            parse(&fs::read(&dockerfile_path).unwrap(), &Limits::default()).map_err(|error| error.to_string())?;
        Ok(Plan {
            image: "case".to_owned(),
            platform: "linux/amd64".parse().unwrap(),
            epoch,
            inputs: Inputs {
                dockerfile: Arc::new(dockerfile),
                dockerfile_path: "Dockerfile".into(),
                context: Arc::new(context),
                contexts,
            },
            parameters: Parameters {
                target: json["target"].as_str().map(str::to_owned),
                build_platform: Some(builder.parse().unwrap()),
                args: texts(&json["build_args"]),
            },
            pins,
            run: RunSurroundings::default(),
            form: ImageForm {
                labels: texts(&json["labels"]),
                annotations: texts(&json["annotations"]),
                ..ImageForm::default()
            },
            no_cache: true,
        })
    }

    /// All platforms of the case, built and assembled, with what writes the archive.
    fn build(&self, work: &Path) -> Result<(Vec<AssembledPlatform>, Arc<Fixtures>), String> {
        let fixtures = Arc::new(Fixtures::of(&self.json["bases"]));
        let platforms = self.json["platform"].as_str().unwrap().split(',').map(str::parse);
        let wanted: Vec<Platform> = platforms.collect::<Result<_, _>>().map_err(|error| format!("{error}"))?;
        let plan = self.plan(work, fixtures.pins(&wanted))?;
        let engine = Native::new(fixtures.clone());
        let mut platforms = Vec::new();
        for (number, platform) in wanted.into_iter().enumerate() {
            let plan = Plan { platform, ..plan.clone() };
            let directory = work.join(format!("engine-{number}"));
            fs::create_dir(&directory).unwrap();
            let limits = Limits::default();
            let surroundings = Surroundings::new(&directory, &limits);
            let checked = engine.check(&plan).map_err(|error| error.to_string())?;
            let built = checked.build(&surroundings).map_err(|error| error.to_string())?;
            let cancel = Cancel::default();
            platforms.push(
                assemble(&plan, &built, Some(&directory), None, Bounds { limits: &Limits::default(), cancel: &cancel })
                    .map_err(|error| error.to_string())?,
            );
        }
        Ok((platforms, fixtures))
    }

    /// The first difference from what BuildKit made.
    fn difference(&self) -> Option<String> {
        let work = tempfile::tempdir().unwrap();
        let built = self.build(work.path());
        let expected = &self.json["expected"];
        match (built, expected["error"].as_str()) {
            (Err(error), None) => Some(format!("refused: {error}")),
            (Ok(_), Some(error)) => Some(format!("built, but should fail: {error}")),
            (Err(found), Some(error)) => wrong_reason(&found, error),
            (Ok((platforms, fixtures)), None) => compare(&platforms, expected, &fixtures, &self.json),
        }
    }
}

/// The reason must be the same, the words around it need not.
fn wrong_reason(found: &str, expected: &str) -> Option<String> {
    let reason = match expected {
        _ if expected.contains("denied by policy") => "is not locked",
        _ if expected.contains("invalid SOURCE_DATE_EPOCH") => "is not an epoch",
        _ if expected.contains("syntax error in pattern") => "syntax error in pattern",
        _ => expected.trim_start_matches("failed to solve: ").rsplit("ref <id>: ").next().unwrap(),
    };
    // What is printed has its backslashes doubled.
    let same = found.replace("\\\\", "\\").contains(reason);
    (!same).then(|| format!("refused for another reason: {found}\n  wanted {expected}"))
}

fn compare(
    platforms: &[AssembledPlatform],
    expected: &Value,
    fixtures: &Arc<Fixtures>,
    case: &Value,
) -> Option<String> {
    let wanted = expected["manifests"].as_array().cloned().unwrap_or_else(|| vec![expected.clone()]);
    for (platform, wanted) in platforms.iter().zip(&wanted) {
        let config = String::from_utf8(platform.config.clone()).unwrap();
        let layers = wanted["layers"].as_array().unwrap();
        if config != wanted["config_json"] {
            let found: Vec<_> = platform.layers.iter().map(|layer| layer.diff_id.to_string()).collect();
            let other: Vec<_> = layers.iter().map(|layer| layer["diff_id"].as_str().unwrap().to_owned()).collect();
            if found != other {
                let first = (0..).find(|at| found.get(*at) != other.get(*at)).unwrap();
                let entries = platform.layers.get(first).map(|layer| list(layer.blob.as_ref().unwrap()));
                let want =
                    layers.get(first).map_or_else(|| "nothing".to_owned(), |layer| format!("{:#}", layer["entries"]));
                return Some(format!("layer {first}: {}\n  wanted {want}", entries.unwrap_or_default()));
            }
            return Some(format!("config\n  found  {config}\n  wanted {}", wanted["config_json"].as_str().unwrap()));
        }
        for (found, wanted) in platform.layers.iter().zip(layers) {
            if found.descriptor.digest.to_string() != wanted["digest"] {
                return Some(format!("blob {} instead of {}", found.descriptor.digest, wanted["digest"]));
            }
        }
        let manifest = String::from_utf8(platform.manifest.clone()).unwrap();
        if manifest != wanted["manifest_json"] {
            return Some(format!("manifest\n{manifest}\nwanted\n{}", wanted["manifest_json"].as_str().unwrap()));
        }
        assert_eq!(platform.descriptor.digest.to_string(), wanted["manifest_digest"]);
    }
    let index =
        assemble_index(platforms.iter().map(|one| one.descriptor.clone()).collect(), Family::Oci, &BTreeMap::new());
    if index.as_ref().map(|index| Digest::of(index).to_string()).as_deref() != expected["index_digest"].as_str() {
        return Some("index".to_owned());
    }
    let archive = archive(platforms, index, fixtures, case);
    let digest = Digest::of(&archive).hex();
    (digest != expected["oci_archive_sha256"]).then(|| format!("archive {digest}"))
}

fn archive(platforms: &[AssembledPlatform], index: Option<Vec<u8>>, fixtures: &Arc<Fixtures>, case: &Value) -> Vec<u8> {
    let mut blobs: BTreeMap<Digest, (u64, OpenBlob<'_>)> = BTreeMap::new();
    let mut keep = |bytes: Vec<u8>| {
        let (digest, size) = (Digest::of(&bytes), bytes.len() as u64);
        let open: OpenBlob<'_> = Box::new(move || Ok(Box::new(io::Cursor::new(bytes.clone()))));
        blobs.insert(digest, (size, open));
        digest
    };
    let top = match &index {
        Some(index) => Descriptor::of(repro::parts::image::media_type::OCI_INDEX, index),
        None => platforms[0].descriptor.clone(),
    };
    index.map(&mut keep);
    for platform in platforms {
        keep(platform.manifest.clone());
        keep(platform.config.clone());
    }
    for layer in platforms.iter().flat_map(|platform| &platform.layers) {
        let (blob, digest, size) = (layer.blob.clone().unwrap(), layer.descriptor.digest, layer.descriptor.size);
        let fixtures = Arc::clone(fixtures);
        let open: OpenBlob<'_> = Box::new(move || match &blob {
            Blob::Remote { request } => {
                let path = fixtures.blob(request, digest, size).map_err(|error| io::Error::other(error.to_string()))?;
                Ok(Box::new(fs::File::open(path)?))
            }
            blob => blob.open(),
        });
        blobs.insert(digest, (size, open));
    }
    let epoch = repro::parts::epoch::Epoch::from_seconds(case["source_date_epoch"].as_i64().unwrap()).unwrap();
    let names = case["image_name"].as_str().map(|name| name.parse().unwrap());
    let image = Writable { top, names: names.into_iter().collect(), created: epoch.rfc3339(), blobs, docker: None };
    let mut out = Vec::new();
    image.into_contents().write_archive(&mut out).unwrap();
    out
}

/// The entries of a layer, for finding differences.
fn list(blob: &Blob) -> String {
    let Ok(stored) = blob.open() else { return "a base layer".to_owned() };
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(stored));
    let mut out = String::new();
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        out += &format!(
            "\n   {:?} {:o} {}:{} {} {} {}",
            header.entry_type(),
            header.mode().unwrap(),
            header.uid().unwrap(),
            header.gid().unwrap(),
            header.mtime().unwrap(),
            entry.size(),
            String::from_utf8_lossy(&entry.path_bytes()),
        );
    }
    out
}

#[test]
fn every_case_gives_the_digests_that_buildkit_gave() {
    let cases = Case::all();
    let mut failed = Vec::new();
    for case in &cases {
        if let Some(difference) = case.difference() {
            println!("== {}: {difference}", case.name);
            failed.push(case.name.as_str());
        }
    }
    assert!(failed.is_empty(), "{} of {} cases differ: {failed:?}", failed.len(), cases.len());
}
