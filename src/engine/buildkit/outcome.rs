//! From a client that ended to a checked image: the same for every way to BuildKit.

use std::io::Read;

use crate::build::{Built, Plan, Surroundings};
use crate::engine::buildkit::daemon::history::{BuildRecord, Control};
use crate::engine::buildkit::daemon::worker::Worker;
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::failure::explain::explain;
use crate::engine::buildkit::failure::taped;
use crate::engine::buildkit::host::at_once;
use crate::engine::buildkit::input::defects;
use crate::engine::buildkit::input::redirects::Redirects;
use crate::engine::buildkit::input::staged::Staged;
use crate::engine::buildkit::output::downloads;
use crate::engine::buildkit::output::image::OutputReader;
use crate::engine::buildkit::output::materials::compare;
use crate::escape;
use crate::image::{Config, Document};
use crate::process::Finished;

/// A build that a client ran, and how to ask for what the daemon recorded of it.
pub(super) struct Outcome<'a> {
    /// The engine's name.
    pub engine: &'static str,
    /// What was asked for.
    pub plan: &'a Plan,
    /// Where the client wrote.
    pub staged: &'a Staged,
    /// What the daemon is.
    pub worker: &'a Worker,
    /// A way to ask it.
    pub control: &'a Control,
    /// The build's name in the daemon's history.
    pub reference: String,
    /// Where bytes came from instead of where they are named.
    pub redirects: &'a Redirects,
}

/// Checks everything that can be checked of a build, and takes its image.
pub(super) fn finish(
    outcome: Outcome<'_>,
    finished: &Finished,
    surroundings: &Surroundings<'_>,
) -> Result<Built, BuildKitError> {
    let Outcome { engine, plan, staged, worker, control, reference, redirects } = outcome;
    let limits = surroundings.limits;
    if !finished.succeeded() {
        let log = taped::true_log(plan, &finished.log);
        let log: Vec<&str> = log.iter().map(AsRef::as_ref).collect();
        let dockerfile = escape::name(plan.dockerfile_path.as_os_str().as_encoded_bytes());
        let error = explain(&log, &dockerfile, &plan.dockerfile);
        return Err(if plan.tape.is_some() { taped::explain(error, &log, staged.has_certificate()) } else { error });
    }
    let reader = OutputReader { engine, plan, limits, cancel: &surroundings.cancel };
    let ask = || control.record(reference.trim(), surroundings);
    let ((record, ()), output) = at_once(|| at_once(ask, || staged.forget_context()), || reader.read(&staged.image()));
    let record = record?;
    let materials = record.materials.as_deref().unwrap_or_default();
    let deviations = compare(&plan.pins, materials, redirects, plan.tape.as_ref());
    if !deviations.is_empty() {
        return Err(BuildKitError::Materials(deviations));
    }
    let base = base_diff_ids(engine, &record, surroundings)?;
    let output = output?;
    // Of a result without layers, in which nothing of any source is, there is no provenance.
    if record.materials.is_none() && !output.layers.is_empty() {
        return Err(BuildRecord::lacks_provenance());
    }
    reader.check_base(&output, &base)?;
    let metadata = staged.metadata();
    let mut claims = Vec::new();
    let file = std::fs::File::open(&metadata).map_err(BuildKitError::io(&metadata))?;
    file.take(limits.json_bytes + 1).read_to_end(&mut claims).map_err(BuildKitError::io(&metadata))?;
    reader.check_claims(&claims, &output)?;
    defects::check_history(&output.config, plan)?;
    downloads::check(plan, &output)?;
    let requests = taped::requests(plan, &finished.log);
    Ok(Built { config: output.config.bytes().to_vec(), layers: output.layers, engine: worker.name(), requests })
}

/// The diff IDs of the target's base image; none when it starts from scratch.
fn base_diff_ids(
    engine: &'static str,
    record: &BuildRecord,
    surroundings: &Surroundings<'_>,
) -> Result<Vec<crate::digest::DiffId>, BuildKitError> {
    let Some(bytes) = &record.base_config else { return Ok(Vec::new()) };
    match Document::<Config>::parse(bytes.clone(), surroundings.limits) {
        Ok(config) => Ok(config.diff_ids.clone()),
        Err(error) => Err(defects::unusable_base(engine, &error)),
    }
}
