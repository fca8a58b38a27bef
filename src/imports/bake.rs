//! A bake file in JSON, as `docker buildx bake --print` writes it: one build a target.

use serde_json::Value;

use super::command::values;
use super::members::Members;
use super::requested::{RequestError, RequestedBuild, RequestedDockerfile, RequestedNetwork};
use crate::json;
use crate::limits::Limits;

const PRINT: &str = "`docker buildx bake -f FILE --print > bake.json` writes the file with all values in it";

/// Reads a bake file; gives each target by its name.
pub fn read_bake(bytes: &[u8], limits: &Limits, now: u64) -> Result<Vec<(String, RequestedBuild)>, RequestError> {
    let value: Value = json::parse(bytes, limits)
        .map_err(|error| RequestError::new(format!("the bake file is no JSON: {error}")).with_hint(PRINT))?;
    let mut file = Members::of("the bake file", &value)?;
    let Some(Value::Object(targets)) = file.take("target") else {
        return Err(RequestError::new("the bake file has no targets").with_hint(PRINT));
    };
    for name in ["variable", "function"] {
        if file.take(name).is_some() {
            return Err(RequestError::new(format!("the bake file has a `{name}`, which bake itself has to work out"))
                .with_hint(PRINT));
        }
    }
    targets.iter().map(|(name, value)| Ok((name.clone(), target(name, value, now)?))).collect()
}

fn target(name: &str, value: &Value, now: u64) -> Result<RequestedBuild, RequestError> {
    let shown = crate::escape::text(name).into_owned();
    if value.to_string().contains("${") {
        let message = format!("target `{shown}`: a value with `${{` in it is worked out by bake itself");
        return Err(RequestError::new(message).with_hint(PRINT));
    }
    let mut members = Members::of(format!("target `{shown}`"), value)?;
    for key in ["inherits", "matrix"] {
        if members.take(key).is_some() {
            return Err(
                RequestError::new(format!("target `{shown}`: `{key}` is worked out by bake itself")).with_hint(PRINT)
            );
        }
    }
    let mut build = RequestedBuild { from: "a bake file".to_owned(), ..RequestedBuild::default() };
    build.context = members.text("context")?.unwrap_or(".").to_owned();
    super::command::local_context(&build.context)?;
    build.dockerfile = RequestedDockerfile {
        path: members.text("dockerfile")?.map(str::to_owned),
        is_of_context: true,
        ..RequestedDockerfile::default()
    };
    if members.take("dockerfile-inline").is_some() {
        return Err(RequestError::new(format!(
            "target `{shown}`: the Dockerfile stands in the bake file: expected a file"
        )));
    }
    build.target = members.text("target")?.map(str::to_owned);
    arguments(&mut build, members.pairs("args")?, now)?;
    build.labels =
        members.pairs("labels")?.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect();
    for text in members.texts("annotations")? {
        values::annotation(&mut build, text)?;
    }
    for text in members.texts("platforms")? {
        values::platforms("platforms", text, &mut build.platforms)?;
    }
    for text in members.texts("tags")? {
        build.names.push(values::name("tags", text)?);
    }
    for (name, value) in members.pairs("contexts")? {
        build.contexts.insert(name, value.unwrap_or_default());
    }
    for text in members.fields("secret")? {
        build.secrets.insert(values::secret(&text)?);
    }
    for text in members.fields("ssh")? {
        build
            .ssh
            .insert(values::agent(text.strip_prefix("id=").unwrap_or(&text).split(',').next().unwrap_or_default()));
    }
    for text in members.fields("output")? {
        values::output(&mut build, &text)?;
    }
    build.network = network(members.text("network")?);
    members.take("description");
    for key in members.rest() {
        build.note(key, "belongs to a run or a machine, or no manifest has it: not carried over");
    }
    Ok(build)
}

/// Arguments, and the epoch among them.
pub(super) fn arguments(
    build: &mut RequestedBuild,
    pairs: Vec<(String, Option<String>)>,
    now: u64,
) -> Result<(), RequestError> {
    for (name, value) in pairs {
        let value = match value {
            Some(value) => value,
            None => values::argument(&name)?.1,
        };
        match name.as_str() {
            "SOURCE_DATE_EPOCH" if value.is_empty() => {}
            "SOURCE_DATE_EPOCH" => build.epoch = Some(values::epoch("SOURCE_DATE_EPOCH", &value, now)?),
            _ => drop(build.args.insert(name, value)),
        }
    }
    Ok(())
}

pub(super) fn network(text: Option<&str>) -> RequestedNetwork {
    match text {
        Some("none") => RequestedNetwork::None,
        None | Some("" | "default") => RequestedNetwork::Default,
        Some(_) => RequestedNetwork::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bake_prints_is_one_build_a_target() {
        let text = r#"{"group":{"default":{"targets":["a","b"]}},"target":{
            "a":{"context":".","dockerfile":"Dockerfile","args":{"V":"1","SOURCE_DATE_EPOCH":"7"},"tags":["r.example/a:1"],
                 "platforms":["linux/amd64","linux/arm64"],"output":[{"type":"image","push":"true"}],
                 "secret":[{"id":"npm","src":"/s"},"id=tok,env=T"],"cache-from":[{"type":"gha"}],"ssh":[{"id":"default"}]},
            "b":{"context":"b","contexts":{"base":"target:a"}}}}"#;
        let found = read_bake(text.as_bytes(), &Limits::default(), 8).unwrap();
        let [(_, a), (_, b)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((a.epoch.map(|epoch| epoch.seconds()), a.args.len(), a.platforms.len()), (Some(7), 1, 2));
        assert_eq!(a.secrets.iter().map(String::as_str).collect::<Vec<_>>(), ["npm", "tok"]);
        assert_eq!(a.ssh.iter().map(String::as_str).collect::<Vec<_>>(), ["default"]);
        assert!(
            ["cache-from", "push"].iter().all(|what| a.notes.iter().any(|note| note.what == *what)),
            "{:?}",
            a.notes
        );
        assert_eq!(b.contexts["base"], "target:a");
    }

    #[test]
    fn what_bake_has_to_work_out_is_refused_with_the_command_that_does() {
        for text in [
            "target \"a\" {}",
            r#"{"target":{"a":{"inherits":["b"]}}}"#,
            r#"{"target":{"a":{"tags":["x:${TAG}"]}}}"#,
            r#"{"variable":{},"target":{}}"#,
            "{}",
        ] {
            let error = read_bake(text.as_bytes(), &Limits::default(), 8).unwrap_err();
            assert!(crate::status::ExitStatus::hint(&error).is_some_and(|hint| hint.contains("--print")), "{text}");
        }
        let bare = read_bake(br#"{"target":{"a":{"args":{"TOKEN":null}}}}"#, &Limits::default(), 8).unwrap_err();
        assert!(bare.to_string().contains("`TOKEN` has no value"), "{bare}");
    }
}
