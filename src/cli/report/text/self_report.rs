//! What `repro self-report` says: one paragraph, to be pasted.

use crate::project::SelfReport;

/// Program, engines and configuration.
pub fn paragraph(told: &SelfReport) -> String {
    let program = told.program.as_ref().map_or("digest unknown".to_owned(), ToString::to_string);
    let engines: Vec<String> = told
        .engines
        .iter()
        .map(|engine| match engine.found.as_slice() {
            _ if !engine.is_usable => format!("{} not usable", engine.name),
            [] => engine.name.to_owned(),
            found => format!("{} ({})", engine.name, found.join(", ")),
        })
        .collect();
    let configuration = match &told.configuration {
        None => "none".to_owned(),
        Some(counts) => format!("{} registries, {} mirrors", counts.registries, counts.mirrors),
    };
    format!(
        "repro {} for {}, {}, {program}; writes image form {} and lockfile version {}; engines: {}; configuration: {configuration}\n",
        told.version,
        told.target,
        told.build,
        told.form,
        told.lockfile,
        engines.join(", "),
    )
}
