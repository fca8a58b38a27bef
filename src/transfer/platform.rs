//! One platform of an image.

use super::error::TransferError;
use super::image::Image;
use crate::image::Descriptor;
use crate::platform::Platform;

/// The descriptor of the image manifest for `wanted`, which then is the top of an image of its own.
pub fn of_platform(image: &Image, wanted: &Platform) -> Result<Descriptor, TransferError> {
    let for_it: Vec<&Descriptor> = image
        .manifests
        .iter()
        .filter(|manifest| manifest.platform.as_ref() == Some(wanted))
        .map(|manifest| &manifest.descriptor)
        .collect();
    match for_it[..] {
        [one] => Ok(Descriptor::new(&one.media_type, one.digest, one.size)),
        [] => {
            let known = image.manifests.iter().filter_map(|manifest| Some(manifest.platform.as_ref()?.to_string()));
            Err(TransferError::NoPlatform { wanted: wanted.clone(), known: known.collect() })
        }
        _ => Err(TransferError::Malformed {
            object: format!("index {}", image.top.digest),
            problem: format!("{} image manifests for {wanted}", for_it.len()),
        }),
    }
}
