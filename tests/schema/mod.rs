//! Documents held against `schema/*.json`: the keywords that the schemas use, and no others.

#![allow(dead_code, reason = "every test file uses a part")]
use serde_json::Value;

/// Stops the test where `text`, what a command printed, is not one document of the schema `name`, in its order.
#[track_caller]
pub fn check(name: &str, text: &str) -> Value {
    let document: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert!(text.starts_with("{\n  \"version\": 1,\n  \"status\": "), "the version comes first: {text}");
    let schema = format!("{}/schema/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let mut problems = Vec::new();
    validate(&schema, &schema, &document, "", &mut problems);
    assert!(problems.is_empty(), "{name}: {problems:#?}\n{text}");
    document
}

/// Gathers what is wrong with `value`. A member that the schema does not describe is wrong, too.
fn validate(root: &Value, schema: &Value, value: &Value, place: &str, problems: &mut Vec<String>) {
    let mut wrong = |what: String| problems.push(format!("{place}: {what}: {value}"));
    // A schema of anything.
    if schema == &Value::Bool(true) {
        return;
    }
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "title" | "description" | "definitions" | "format" => {}
            "$ref" => {
                let definition = root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap();
                validate(root, definition, value, place, problems);
                return;
            }
            "type" if !types(rule).any(|name| is_of(value, name)) => wrong(format!("is not {rule}")),
            "const" if rule != value => wrong(format!("is not {rule}")),
            "enum" if !rule.as_array().unwrap().contains(value) => wrong(format!("is none of {rule}")),
            "minimum" if value.is_number() && value.as_f64() < rule.as_f64() => wrong(format!("is below {rule}")),
            "maximum" if value.is_number() && value.as_f64() > rule.as_f64() => wrong(format!("is above {rule}")),
            "minItems" if value.as_array().unwrap().len() < length(rule) => wrong(format!("has fewer than {rule}")),
            "maxItems" if value.as_array().unwrap().len() > length(rule) => wrong(format!("has more than {rule}")),
            "required" => {
                for name in rule.as_array().unwrap().iter().filter(|name| value.get(name.as_str().unwrap()).is_none()) {
                    wrong(format!("lacks {name}"));
                }
            }
            "type" | "const" | "enum" | "minimum" | "maximum" | "minItems" | "maxItems" => {}
            "properties" | "additionalProperties" | "items" | "anyOf" | "oneOf" | "allOf" => {}
            other => panic!("the schema uses `{other}`, which this check does not know"),
        }
    }
    let part = |rule: &Value, value: &Value, place: &str| {
        let mut problems = Vec::new();
        validate(root, rule, value, place, &mut problems);
        problems
    };
    if let (Some(properties), Some(members)) = (schema["properties"].as_object(), value.as_object()) {
        for (name, member) in members {
            match properties.get(name) {
                Some(rule) => problems.extend(part(rule, member, &format!("{place}/{name}"))),
                None => problems.push(format!("{place}: `{name}` is not described")),
            }
        }
    }
    if let (None, Some(rule), Some(members)) =
        (schema.get("properties"), schema.get("additionalProperties"), value.as_object())
    {
        let each = members.iter().flat_map(|(name, member)| part(rule, member, &format!("{place}/{name}")));
        problems.extend(each);
    }
    if let (Some(rule), Some(items)) = (schema.get("items"), value.as_array()) {
        let each = items.iter().enumerate().flat_map(|(at, item)| part(rule, item, &format!("{place}/{at}")));
        problems.extend(each);
    }
    for rule in schema["allOf"].as_array().into_iter().flatten() {
        problems.extend(part(rule, value, place));
    }
    for choice in ["anyOf", "oneOf"] {
        let Some(rules) = schema[choice].as_array() else { continue };
        if rules.iter().all(|rule| !part(rule, value, place).is_empty()) {
            problems.push(format!("{place}: fits none of {choice}: {value}"));
        }
    }
}

fn types(rule: &Value) -> impl Iterator<Item = &str> {
    let list = rule.as_array().map_or_else(|| std::slice::from_ref(rule), Vec::as_slice);
    list.iter().map(|name| name.as_str().unwrap())
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the schema has the type `{other}`, which this check does not know"),
    }
}

fn length(rule: &Value) -> usize {
    usize::try_from(rule.as_u64().unwrap()).unwrap()
}
