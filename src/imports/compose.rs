//! A compose file in JSON, as `docker compose config --format json` writes it: one build a service that has one.

use serde_json::Value;

use super::bake::{arguments, network};
use super::command::values;
use super::members::Members;
use super::requested::{RequestError, RequestedBuild, RequestedDockerfile};
use crate::json;
use crate::limits::Limits;

const CONFIG: &str = "`docker compose config --format json > compose.json` writes the file with all values in it";

/// Reads a compose file; gives each service that is built by its name.
pub fn read_compose(bytes: &[u8], limits: &Limits, now: u64) -> Result<Vec<(String, RequestedBuild)>, RequestError> {
    let value: Value = json::parse(bytes, limits)
        .map_err(|error| RequestError::new(format!("the compose file is no JSON: {error}")).with_hint(CONFIG))?;
    let mut file = Members::of("the compose file", &value)?;
    let Some(Value::Object(services)) = file.take("services") else {
        return Err(RequestError::new("the compose file has no services").with_hint(CONFIG));
    };
    let mut found = Vec::new();
    for (name, value) in services {
        let shown = crate::escape::text(name).into_owned();
        if value.to_string().contains("${") {
            let message = format!("service `{shown}`: a value with `${{` in it is worked out by compose itself");
            return Err(RequestError::new(message).with_hint(CONFIG));
        }
        let mut service = Members::of(format!("service `{shown}`"), value)?;
        let Some(build) = service.take("build") else { continue };
        found.push((name.clone(), self::build(&shown, build, &mut service, now)?));
    }
    if found.is_empty() {
        return Err(RequestError::new("no service of the compose file is built"));
    }
    Ok(found)
}

fn build(shown: &str, value: &Value, service: &mut Members<'_>, now: u64) -> Result<RequestedBuild, RequestError> {
    let mut build = RequestedBuild { from: "a compose file".to_owned(), ..RequestedBuild::default() };
    if let Some(name) = service.text("image")? {
        build.names.push(values::name("image", name)?);
    }
    if let Some(platform) = service.text("platform")? {
        values::platforms("platform", platform, &mut build.platforms)?;
    }
    if let Value::String(context) = value {
        build.context.clone_from(context);
        super::command::local_context(&build.context)?;
        build.dockerfile.is_of_context = true;
        return Ok(build);
    }
    let mut members = Members::of(format!("service `{shown}`: `build`"), value)?;
    build.context = members.text("context")?.unwrap_or(".").to_owned();
    super::command::local_context(&build.context)?;
    build.dockerfile = RequestedDockerfile {
        path: members.text("dockerfile")?.map(str::to_owned),
        is_of_context: true,
        ..RequestedDockerfile::default()
    };
    if members.take("dockerfile_inline").is_some() {
        return Err(RequestError::new(format!(
            "service `{shown}`: the Dockerfile stands in the compose file: expected a file"
        )));
    }
    build.target = members.text("target")?.map(str::to_owned);
    arguments(&mut build, members.pairs("args")?, now)?;
    build.labels =
        members.pairs("labels")?.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect();
    let platforms = members.texts("platforms")?;
    if !platforms.is_empty() {
        build.platforms.clear();
    }
    for text in platforms {
        values::platforms("platforms", text, &mut build.platforms)?;
    }
    for text in members.texts("tags")? {
        build.names.push(values::name("tags", text)?);
    }
    for (name, value) in members.pairs("additional_contexts")? {
        build.contexts.insert(name, value.unwrap_or_default());
    }
    for text in members.fields("secrets")? {
        // `source` says which secret of the file, `target` what the build calls it.
        let field = |key: &str| {
            text.split(',').find_map(|field| field.strip_prefix(key)).map(str::to_owned).filter(|id| !id.is_empty())
        };
        let id = field("target=").or_else(|| field("source=")).unwrap_or_else(|| text.clone());
        build.secrets.insert(id.rsplit('/').next().unwrap_or_default().to_owned());
    }
    for (name, _) in members.pairs("ssh")? {
        build.ssh.insert(name);
    }
    build.network = network(members.text("network")?);
    for key in members.rest() {
        build.note(key, "belongs to a run or a machine, or no manifest has it: not carried over");
    }
    Ok(build)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_that_is_built_is_one_build() {
        let text = r#"{"name":"p","services":{"db":{"image":"postgres:16"},
            "web":{"image":"r.example/web:1","build":{"context":"web","dockerfile":"D","args":{"V":1},"target":"t",
                "secrets":[{"source":"tok","target":"token"}],"additional_contexts":{"docs":"docs"},"cache_from":["x"],"ssh":["default"]}},
            "worker":{"build":"worker"}}}"#;
        let found = read_compose(text.as_bytes(), &Limits::default(), 8).unwrap();
        let [(_, web), (name, worker)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((name.as_str(), worker.context.as_str()), ("worker", "worker"));
        assert_eq!((web.context.as_str(), web.args["V"].as_str()), ("web", "1"));
        assert_eq!(web.secrets.first().map(String::as_str), Some("token"));
        assert_eq!(web.ssh.first().map(String::as_str), Some("default"));
        assert_eq!(web.names, [("r.example/web".to_owned(), "1".to_owned())]);
        assert!(web.notes.iter().any(|note| note.what == "cache_from"));
    }

    #[test]
    fn a_file_that_compose_has_to_work_out_is_refused_with_the_command_that_does() {
        for text in ["services:\n  web:\n    build: .\n", "{}", r#"{"services":{"a":{"build":"${X}"}}}"#] {
            let error = read_compose(text.as_bytes(), &Limits::default(), 8).unwrap_err();
            assert!(
                crate::status::ExitStatus::hint(&error).is_some_and(|hint| hint.contains("compose config")),
                "{text}"
            );
        }
    }
}
