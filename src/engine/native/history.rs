//! The config as it is exported: times of the history, `created`, layers, platform and labels.

use std::collections::BTreeMap;

use crate::digest::DiffId;
use crate::epoch::Epoch;
use crate::image::Config;
use crate::image::config::HistoryItem;
use crate::image::time::Time;
use crate::platform::Platform;

use super::metadata::StageConfig;

/// The finished config of the target (`buildkit.md` 5.2 and 5.3).
pub(super) fn finish(
    stage: StageConfig,
    platform: &Platform,
    labels: &BTreeMap<String, String>,
    epoch: Epoch,
    diff_ids: Vec<DiffId>,
) -> Config {
    let StageConfig { mut config, base_history, .. } = stage;
    config.diff_ids = diff_ids;
    let labels = labels.iter().map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec()));
    config.run.labels.extend(labels);
    set_platform(&mut config, platform);
    fill_times(&mut config.history);
    lower_times(&mut config.history, base_history.as_deref(), Time::from(epoch));
    config.created = config.history.iter().filter_map(|item| item.created).next_back();
    config
}

/// The target's platform; the base's variant stays if the target names none for the same architecture.
fn set_platform(config: &mut Config, target: &Platform) {
    let same = config.os == target.os && config.architecture == target.architecture;
    let variant = match &target.variant {
        Some(variant) => variant.clone(),
        None if same => std::mem::take(&mut config.variant),
        None => String::new(),
    };
    if !same {
        config.os_version.clear();
    }
    config.os_features.sort();
    config.os_features.dedup();
    let variant = Some(variant).filter(|variant| !variant.is_empty());
    let platform = Platform::new(&target.os, &target.architecture, variant.as_deref());
    config.os = platform.os;
    config.architecture = platform.architecture;
    config.variant = platform.variant.unwrap_or_default();
}

/// Gives every item a time: layers without one are of now, others get a neighbour's.
fn fill_times(history: &mut [HistoryItem]) {
    for item in history.iter_mut().filter(|item| !item.empty_layer && item.created.is_none()) {
        item.created = Some(Time::LATEST);
    }
    let (mut created, mut missing) = (None, false);
    for item in history.iter() {
        if item.created.is_none() {
            missing = true;
            continue;
        }
        created = item.created;
        if missing {
            break;
        }
    }
    let mut missing = false;
    for item in history {
        match item.created {
            Some(_) if missing => created = item.created,
            Some(_) => {}
            None => {
                missing = true;
                item.created = created;
            }
        }
    }
}

/// Lowers times to the epoch from the first item on that differs from the base's history.
fn lower_times(history: &mut [HistoryItem], base: Option<&[HistoryItem]>, epoch: Time) {
    let base = base.unwrap_or_default();
    let same = history.iter().zip(base).take_while(|(item, base)| item == base).count();
    for item in &mut history[same..] {
        if item.created.is_none_or(|created| created.is_after(&epoch)) {
            item.created = Some(epoch);
        }
    }
}
