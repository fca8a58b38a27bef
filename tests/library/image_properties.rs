//! Reading images is the inverse of writing them, and no byte of an archive changes unseen.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Cursor, Seek, Write};
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use repro::parts::cancel::Cancel;
use repro::parts::digest::{Algorithm, AnyDigest, DiffId, Digest};
use repro::parts::image::archive::{Archive, Surroundings};
use repro::parts::image::config::HistoryItem;
use repro::parts::image::media_type::{Family, LayerCompression};
use repro::parts::image::validate::{self, Closure, ImageFacts, Selection};
use repro::parts::image::write::{OpenBlob, Writable};
use repro::parts::image::{Config, Descriptor, DescriptorPlatform, ImageManifest, Index};
use repro::parts::layer::Listed;
use repro::parts::layer::gzip::Encoder;
use repro::parts::layer::tar::{Entry, Kind, Writer};
use repro::parts::limits::Limits;
use repro::parts::platform::Platform;
use tempfile::TempDir;

/// How an archive reaches the reader.
#[derive(Clone, Copy, Debug)]
enum Way {
    Pipe,
    File,
}

fn check(archive: &[u8], way: Way, is_listed: bool) -> (Archive, Closure) {
    let listed = if is_listed { Listed::Headers } else { Listed::Nothing };
    let (limits, cancel) = (Limits::default(), Cancel::default());
    let around = Surroundings {
        limits: &limits,
        cancel: &cancel,
        threads: 2,
        is_fast: false,
        listed,
        contents: None,
        sums_both: false,
    };
    let mut archive = match way {
        Way::Pipe => Archive::read_stream(archive, &around).unwrap(),
        Way::File => {
            let mut file: File = tempfile::tempfile().unwrap();
            file.write_all(archive).and_then(|()| file.rewind()).unwrap();
            Archive::read_file(file, &around).unwrap()
        }
    };
    let selection = Selection { listed, ..Selection::default() };
    let closure = validate::check(&mut archive, &selection, &limits).unwrap();
    (archive, closure)
}

/// One layer: its entries with their content, and how it is packed.
type LayerPlan = (Vec<(Entry, Vec<u8>)>, LayerCompression);

fn entries() -> impl Strategy<Value = Vec<(Entry, Vec<u8>)>> {
    let content = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..2000),
        (any::<u8>(), 0_usize..200_000).prop_map(|(byte, count)| vec![byte; count]),
    ];
    let name = prop_oneof!["[a-z]{1,9}", "[ -.0-~é]{1,40}", "[a-z]{90,120}(/[a-z]{100,200}){0,2}"];
    let one = (name, content, 0_u8..6, 0_u32..0o10000, 0_u64..1 << 31, -5_i64..1 << 33);
    type Drawn = (String, Vec<u8>, u8, u32, u64, i64);
    prop::collection::vec(one, 0..6).prop_map(|entries| {
        let make = |(number, (name, content, kind, mode, owner, mtime)): (usize, Drawn)| {
            // A number in front keeps names apart, and whiteouts and `..` away.
            let path = format!("{number}-{name}");
            let kind = match kind {
                0 => Kind::Directory,
                1 => Kind::Symlink { target: format!("../{name}").into_bytes() },
                2 => Kind::CharacterDevice { major: mode, minor: 3 },
                _ => Kind::File,
            };
            let content = if kind == Kind::File { content } else { Vec::new() };
            let mut entry = Entry::new(path, kind, mode).at(mtime);
            (entry.uid, entry.gid, entry.size) = (owner, owner / 2, content.len() as u64);
            if number == 1 {
                entry.xattrs.insert(b"user.a".to_vec(), name.into_bytes());
            }
            (entry, content)
        };
        entries.into_iter().enumerate().map(make).collect()
    })
}

fn layers() -> impl Strategy<Value = Vec<LayerPlan>> {
    let packing = prop_oneof![Just(LayerCompression::None), Just(LayerCompression::Gzip), Just(LayerCompression::Zstd)];
    prop::collection::vec((entries(), packing), 0..5)
}

fn tar_of(entries: &[(Entry, Vec<u8>)]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (entry, content) in entries {
        writer.append(entry, content.as_slice()).unwrap();
    }
    writer.finish().unwrap()
}

fn pack(tar: &[u8], how: LayerCompression) -> Vec<u8> {
    match how {
        LayerCompression::None => tar.to_vec(),
        LayerCompression::Zstd => zstd::encode_all(tar, 3).unwrap(),
        LayerCompression::Gzip => {
            let mut encoder = Encoder::new(Vec::new());
            encoder.write_all(tar).unwrap();
            encoder.finish().unwrap()
        }
    }
}

/// Digests of manifest and config, and of each layer the digest and the diff ID.
type Known = (String, String, Vec<(String, String)>);

/// An image that was put together, with what must be read of it.
struct Built {
    archive: Vec<u8>,
    /// By platform.
    images: BTreeMap<String, Known>,
}

fn build(platforms: &[Vec<LayerPlan>], has_docker_view: bool) -> Built {
    let mut blobs: BTreeMap<Digest, Vec<u8>> = BTreeMap::new();
    let mut images = BTreeMap::new();
    let mut tops = Vec::new();
    let mut view = None;
    for (layers, architecture) in platforms.iter().zip(["amd64", "arm64", "s390x"]) {
        let platform = Platform::new("linux", architecture, None);
        let mut descriptors = Vec::new();
        let mut facts = Vec::new();
        for (entries, packing) in layers {
            let tar = tar_of(entries);
            let blob = pack(&tar, *packing);
            let descriptor = Descriptor::of(Family::Oci.layer(*packing), &blob);
            facts.push((descriptor.digest, DiffId::of(&tar)));
            blobs.insert(descriptor.digest, blob);
            descriptors.push(descriptor);
        }
        let config = Config {
            architecture: architecture.to_owned(),
            os: "linux".to_owned(),
            history: layers.iter().map(|_| HistoryItem::default()).collect(),
            diff_ids: facts.iter().map(|(_, diff_id)| *diff_id).collect(),
            ..Config::default()
        };
        let config = config.to_bytes();
        let manifest = ImageManifest {
            media_type: Some(Family::Oci.manifest().to_owned()),
            config: Descriptor::of(Family::Oci.config(), &config),
            layers: descriptors,
            annotations: BTreeMap::new(),
            artifact_type: None,
            subject: None,
        };
        let mut top = Descriptor::of(Family::Oci.manifest(), &manifest.to_bytes());
        top.platform = Some(DescriptorPlatform::from(&platform));
        let config_digest = Digest::of(&config);
        view = Some((config_digest, facts.iter().map(|(digest, _)| *digest).collect()));
        blobs.insert(config_digest, config);
        blobs.insert(top.digest, manifest.to_bytes());
        let facts = facts.iter().map(|(digest, diff_id)| (digest.to_string(), diff_id.to_string())).collect();
        images.insert(platform.to_string(), (top.digest.to_string(), config_digest.to_string(), facts));
        tops.push(top);
    }
    let top = match &tops[..] {
        [one] => one.clone(),
        _ => {
            let media_type = Some(Family::Oci.index().to_owned());
            let index = Index { media_type, manifests: tops, annotations: BTreeMap::new() }.to_bytes();
            let top = Descriptor::of(Family::Oci.index(), &index);
            blobs.insert(top.digest, index);
            top
        }
    };
    let open = |bytes: &Vec<u8>| -> (u64, OpenBlob<'static>) {
        let copy = bytes.clone();
        (bytes.len() as u64, Box::new(move || Ok(Box::new(Cursor::new(copy.clone())) as Box<dyn io::Read + Send>)))
    };
    let writable = Writable {
        top,
        names: vec!["registry.example/app:1".parse().unwrap()],
        created: "2023-11-14T22:13:20Z".to_owned(),
        blobs: blobs.iter().map(|(digest, bytes)| (*digest, open(bytes))).collect(),
        docker: view.filter(|_| has_docker_view && platforms.len() == 1),
    };
    let mut archive = Vec::new();
    writable.into_contents().write_archive(&mut archive).unwrap();
    Built { archive, images }
}

fn digests(image: &ImageFacts) -> Known {
    let text = |digest: Option<AnyDigest>| digest.unwrap().to_string();
    let layers = image.layers.iter().map(|layer| (text(layer.digest), text(layer.diff_id))).collect();
    (text(image.manifest), text(image.config_digest), layers)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_read(platforms in prop::collection::vec(layers(), 1..4), has_docker_view: bool) {
        let built = build(&platforms, has_docker_view);
        for way in [Way::Pipe, Way::File] {
            let (archive, closure) = check(&built.archive, way, true);
            prop_assert!(closure.findings.are_none(), "{:?}", closure.findings);
            let read: BTreeMap<_, _> =
                closure.images.iter().map(|image| (image.platform().unwrap().to_string(), digests(image))).collect();
            prop_assert_eq!(&read, &built.images);
            for (plans, architecture) in platforms.iter().zip(["linux/amd64", "linux/arm64", "linux/s390x"]) {
                let image = closure.images.iter().find(|image| image.platform().unwrap().to_string() == architecture);
                for ((entries, _), layer) in plans.iter().zip(&image.unwrap().layers) {
                    let examined = closure.examined(&archive, layer).unwrap();
                    let listing = examined.listing.as_ref().unwrap();
                    let listed: Vec<Entry> =
                        listing.members(&Limits::default()).map(|member| member.unwrap().0.entry).collect();
                    let written: Vec<Entry> = entries.iter().map(|(entry, _)| entry.clone()).collect();
                    let bare = |mut entry: Entry| {
                        entry.path = entry.path.strip_suffix(b"/").map_or(entry.path.clone(), <[u8]>::to_vec);
                        entry
                    };
                    let (listed, written): (Vec<_>, Vec<_>) =
                        (listed.into_iter().map(bare).collect(), written.into_iter().map(bare).collect());
                    prop_assert_eq!(listed, written);
                }
            }
        }
    }
}

/// Names of images stand in the index and in docker's `manifest.json`, which no digest covers. Where both give whole names
/// they cover each other, but the corpus's archives give tags only.
fn is_covered(archive: &[u8], at: usize) -> bool {
    let mut members = tar::Archive::new(archive);
    !members.entries().unwrap().map(Result::unwrap).any(|member| {
        let start = usize::try_from(member.raw_file_position()).unwrap();
        let names = ["index.json", "manifest.json", "repositories"];
        let names_images = names.iter().any(|name| *member.path_bytes() == *name.as_bytes());
        names_images && (start..start + usize::try_from(member.size()).unwrap()).contains(&at)
    })
}

#[test]
fn no_byte_that_a_digest_covers_changes_unseen() {
    let directory = TempDir::new().unwrap();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/hostile/generate.py");
    for name in ["oci-single-gzip", "docker-and-oci", "docker-flat", "oci-zstd"] {
        let made = Command::new("python3").arg(&corpus).arg(directory.path()).args(["--only", name]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let archive = std::fs::read(directory.path().join(format!("{name}.tar"))).unwrap();
        assert!(check(&archive, Way::Pipe, false).1.findings.are_none(), "{name} is valid");
        let mut unseen = Vec::new();
        for at in 0..archive.len() {
            for change in [0x01, 0x20, 0x80] {
                let mut changed = archive.clone();
                changed[at] ^= change;
                if is_covered(&archive, at) && check(&changed, Way::Pipe, false).1.findings.are_none() {
                    unseen.push((at, change));
                }
            }
        }
        assert!(unseen.is_empty(), "{name}: {} changes were not seen: {unseen:?}", unseen.len());
    }
}

#[test]
fn no_byte_changes_unseen_in_an_archive_whose_views_name_their_image_but_those_of_a_time() {
    let file = (Entry::file("a", 0o644, 2), b"a\n".to_vec());
    let archive = build(&[vec![(vec![file], LayerCompression::Gzip)]], true).archive;
    assert!(check(&archive, Way::Pipe, false).1.findings.are_none());
    let time = b"2023-11-14T22:13:20Z";
    let start = archive.windows(time.len()).position(|window| window == time).unwrap();
    let mut unseen = Vec::new();
    for at in (0..archive.len()).filter(|at| !(start..start + time.len()).contains(at)) {
        for change in [0x01, 0x20] {
            let mut changed = archive.clone();
            changed[at] ^= change;
            if check(&changed, Way::Pipe, false).1.findings.are_none() {
                let around = String::from_utf8_lossy(&changed[at.saturating_sub(10)..archive.len().min(at + 10)]);
                unseen.push((at, change, around.into_owned()));
            }
        }
    }
    assert!(unseen.is_empty(), "{} changes were not seen: {unseen:?}", unseen.len());
}

#[test]
fn a_layer_whose_diff_id_is_in_another_algorithm_than_its_digest_is_checked_with_both() {
    let tar = tar_of(&[(Entry::file("big", 0o644, 100_000), vec![7; 100_000])]);
    let diff_id = AnyDigest::of(Algorithm::Sha512, &tar);
    let config =
        format!(r#"{{"os":"linux","architecture":"amd64","rootfs":{{"type":"layers","diff_ids":["{diff_id}"]}}}}"#);
    let (config, layer) = (config.into_bytes(), tar);
    let manifest = ImageManifest {
        media_type: Some(Family::Oci.manifest().to_owned()),
        config: Descriptor::of(Family::Oci.config(), &config),
        layers: vec![Descriptor::of(Family::Oci.layer(LayerCompression::None), &layer)],
        annotations: BTreeMap::new(),
        artifact_type: None,
        subject: None,
    }
    .to_bytes();
    let open = |bytes: &[u8]| -> (u64, OpenBlob<'static>) {
        let copy = bytes.to_vec();
        (bytes.len() as u64, Box::new(move || Ok(Box::new(Cursor::new(copy.clone())) as Box<dyn io::Read + Send>)))
    };
    let writable = Writable {
        top: Descriptor::of(Family::Oci.manifest(), &manifest),
        names: Vec::new(),
        created: "2023-11-14T22:13:20Z".to_owned(),
        blobs: [&config, &layer, &manifest].map(|bytes| (Digest::of(bytes), open(bytes))).into(),
        docker: None,
    };
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("image.tar");
    writable.into_contents().write_archive(File::create(&path).unwrap()).unwrap();
    let inspect = |source: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_repro"));
        command.args(["inspect", source]).stdin(File::open(&path).unwrap()).output().unwrap()
    };
    let read = inspect(path.to_str().unwrap());
    assert_eq!(read.status.code(), Some(0), "{}", String::from_utf8_lossy(&read.stderr));
    let piped = inspect("-");
    assert_eq!(piped.status.code(), Some(6), "one pass computes one digest");
}
