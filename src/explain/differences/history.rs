//! Why two histories differ: other instructions, other words for the same, other times.

use serde_json::Value;

use super::difference::{Difference, DifferenceLevel};
use super::value::cut;
use crate::compare::layers::runs;

/// What BuildKit appends to the text of an instruction.
const BUILDKIT: &str = " # buildkit";
/// What classic builders begin the text of an instruction with that ran nothing.
const NOTHING: &str = "/bin/sh -c #(nop) ";
/// By what buildah notes the time rule that was asked for.
const TIME_RULES: &[&str] = &["|force-mtime=", "|clamp-mtime="];

/// One item of a history.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Item {
    pub(super) text: String,
    created: Option<String>,
    comment: Option<String>,
    author: Option<String>,
    is_empty: bool,
    /// The place of the layer that it made.
    layer: Option<usize>,
}

/// What is known of the two images beside their histories.
pub(super) struct Context<'a> {
    /// The pairs of layers with the same diff ID, by their places.
    pub(super) anchors: &'a [(usize, usize)],
    /// Members of `config` that say the same on both sides are not different because of a history's text.
    pub(super) runs_alike: &'a dyn Fn(&str) -> bool,
    /// The same files are divided into other layers, and so the instructions are.
    pub(super) is_divided: bool,
    pub(super) is_other_engine: bool,
    pub(super) is_shifted: bool,
}

/// The items of a config's history.
pub(super) fn items(config: &Value) -> Vec<Item> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut layers = 0;
    let all = config.get("history").and_then(Value::as_array);
    let read = all.into_iter().flatten().map(|value| {
        let is_empty = value.get("empty_layer").and_then(Value::as_bool).unwrap_or_default();
        let layer = (!is_empty).then_some(layers);
        layers += usize::from(!is_empty);
        Item {
            text: text(value, "created_by").unwrap_or_default(),
            created: text(value, "created"),
            comment: text(value, "comment"),
            author: text(value, "author"),
            is_empty,
            layer,
        }
    });
    read.collect()
}

/// The instruction that made each layer, by the layer's place.
pub(super) fn instructions(items: &[Item]) -> Vec<String> {
    items.iter().filter(|item| !item.is_empty).map(|item| item.text.clone()).collect()
}

/// Why two histories differ.
pub(super) fn explain(first: &[Item], second: &[Item], context: &Context<'_>) -> Vec<Difference> {
    let mut found = Vec::new();
    if first == second || context.is_other_engine {
        return found;
    }
    let key = |item: &Item| (item.text.clone(), item.is_empty);
    let keys = |items: &[Item]| items.iter().map(key).collect::<Vec<_>>();
    let (anchors, runs) = runs(&keys(first), &keys(second));
    let mut pairs = anchors;
    for run in runs {
        let is_even = run.first.len() == run.second.len();
        let (ours, theirs) = (&first[run.first.clone()], &second[run.second.clone()]);
        if is_even && ours.iter().zip(theirs).all(|(one, other)| one.is_empty == other.is_empty) {
            pairs.extend(run.first.clone().zip(run.second.clone()));
            continue;
        }
        let is_told = |item: &&Item| !context.is_divided || item.is_empty;
        let shape = || Difference::proven("C022", DifferenceLevel::History).about("created_by");
        found.extend(ours.iter().filter(is_told).map(|item| shape().between(Some(cut(item.text.clone())), None)));
        found.extend(theirs.iter().filter(is_told).map(|item| shape().between(None, Some(cut(item.text.clone())))));
    }
    pairs.sort_unstable();
    let mut times = Vec::new();
    for (one, other) in pairs {
        let (one, other) = (&first[one], &second[other]);
        if one.text != other.text {
            let code = worded(one, other, context);
            let texts = (Some(cut(one.text.clone())), Some(cut(other.text.clone())));
            let text = Difference::proven(code, DifferenceLevel::History).about("created_by").between(texts.0, texts.1);
            found.push(match one.layer {
                Some(place) => text.in_layer(place),
                None => text,
            });
        }
        if one.created != other.created {
            times.push((one.created.clone(), other.created.clone()));
        }
        for (name, one, other) in [("comment", &one.comment, &other.comment), ("author", &one.author, &other.author)] {
            if one != other {
                let other = Difference::proven("C029", DifferenceLevel::History)
                    .about(name)
                    .between(one.clone(), other.clone());
                found.push(other);
            }
        }
    }
    if !times.is_empty() && !context.is_shifted {
        let (one, other) = times.swap_remove(0);
        found.push(Difference::proven("C020", DifferenceLevel::History).about("created").between(one, other));
    }
    found
}

/// The cause of two texts for what may be the same instruction.
fn worded(one: &Item, other: &Item, context: &Context<'_>) -> &'static str {
    let (text, other_text) = (normal(&one.text), normal(&other.text));
    if TIME_RULES.iter().any(|rule| one.text.contains(rule) != other.text.contains(rule) || has_other(rule, one, other))
    {
        return "C028";
    }
    if text == other_text {
        return "C021";
    }
    let word = word(&text);
    if word != self::word(&other_text) {
        return "C022";
    }
    let is_same_layer = match (one.layer, other.layer) {
        (Some(one), Some(other)) => context.anchors.contains(&(one, other)),
        _ => false,
    };
    match word {
        "EXPOSE" if one.is_empty && (context.runs_alike)("ExposedPorts") => "C021",
        "HEALTHCHECK" if one.is_empty && (context.runs_alike)("Healthcheck") => "C021",
        "COPY" | "ADD" if is_same_layer && without_flags(&text) == without_flags(&other_text) => "C021",
        "ARG" if argument(&text) == argument(&other_text) => "C006",
        "ENV" if argument(&text) == argument(&other_text) => "C006",
        _ if arguments_of_run(&one.text) != arguments_of_run(&other.text) && same_script(&one.text, &other.text) => {
            "C006"
        }
        _ => "C022",
    }
}

/// Whether both have the rule, with another number behind it.
fn has_other(rule: &str, one: &Item, other: &Item) -> bool {
    let number = |item: &Item| {
        let (_, rest) = item.text.split_once(rule)?;
        Some(rest.chars().take_while(char::is_ascii_digit).collect::<String>())
    };
    number(one) != number(other)
}

/// The text of an instruction without what only builders and their versions add.
fn normal(text: &str) -> String {
    let text = text.strip_suffix(BUILDKIT).unwrap_or(text);
    let text = text.strip_prefix(NOTHING).unwrap_or(text);
    let text = text.strip_prefix("RUN ").unwrap_or(text);
    let text = text.trim();
    // Lists of words, as Go prints them and as JSON writes them. Blanks elsewhere may mean something.
    if text.ends_with(']') { text.replace("\", \"", "\" \"").replace("\",\"", "\" \"") } else { text.to_owned() }
}

fn word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

fn without_flags(text: &str) -> Vec<&str> {
    text.split(' ').filter(|word| !word.starts_with("--")).collect()
}

/// The name that ARG or ENV sets.
fn argument(text: &str) -> &str {
    let rest = text.split_once(' ').map_or("", |(_, rest)| rest);
    rest.split(['=', ' ']).next().unwrap_or_default()
}

/// What stands before the script of a RUN: `|2 A=b C=d`.
fn arguments_of_run(text: &str) -> &str {
    let text = text.strip_prefix("RUN ").unwrap_or(text);
    if !text.starts_with('|') {
        return "";
    }
    text.split_once(" /bin/sh -c ").map_or("", |(arguments, _)| arguments)
}

fn same_script(one: &str, other: &str) -> bool {
    let script = |text: &str| text.split_once("/bin/sh -c ").map(|(_, script)| normal(script));
    script(one).is_some() && script(one) == script(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(first: &[(&str, bool)], second: &[(&str, bool)], anchors: &[(usize, usize)]) -> Vec<&'static str> {
        let read = |all: &[(&str, bool)]| {
            let list: Vec<_> = all
                .iter()
                .map(|(text, is_empty)| serde_json::json!({"created_by": text, "empty_layer": is_empty}))
                .collect();
            items(&serde_json::json!({"history": list}))
        };
        let context =
            Context { anchors, runs_alike: &|_| true, is_divided: false, is_other_engine: false, is_shifted: false };
        explain(&read(first), &read(second), &context).iter().map(|found| found.cause.code).collect()
    }

    #[test]
    fn other_words_for_the_same_are_told_from_other_instructions() {
        let same = &[(0, 0)][..];
        for (one, other, is_empty, anchors, want) in [
            ("EXPOSE map[80/tcp:{}]", "EXPOSE [80/tcp]", true, same, "C021"),
            ("EXPOSE [80/tcp]", "EXPOSE [0xc000a1b2c0]", true, same, "C021"),
            ("CMD [\"a\" \"b\"]", "CMD [\"a\",\"b\"]", true, same, "C021"),
            ("/bin/sh -c #(nop)  CMD [\"a\"]", "CMD [\"a\"]", true, same, "C021"),
            ("CMD [\"a\"]", "CMD [\"b\"]", true, same, "C022"),
            ("RUN /bin/sh -c make # buildkit", "/bin/sh -c make", false, same, "C021"),
            ("RUN /bin/sh -c make --release", "RUN /bin/sh -c make --debug", false, same, "C022"),
            ("COPY --chown=1 a /b # buildkit", "COPY a /b # buildkit", false, same, "C021"),
            ("COPY --chown=1 a /b # buildkit", "COPY a /b # buildkit", false, &[], "C022"),
            ("ARG V=1", "ARG V=2", true, same, "C006"),
            ("ARG V=1", "ARG W=1", true, same, "C022"),
            ("RUN |1 V=1 /bin/sh -c make # buildkit", "RUN |1 V=2 /bin/sh -c make # buildkit", false, same, "C006"),
            ("RUN |1 V=1 /bin/sh -c make # buildkit", "RUN |1 V=2 /bin/sh -c other # buildkit", false, same, "C022"),
            ("/bin/sh -c a|force-mtime=1", "/bin/sh -c a", false, same, "C028"),
            ("/bin/sh -c a|clamp-mtime=1", "/bin/sh -c a|clamp-mtime=2", false, same, "C028"),
        ] {
            assert_eq!(codes(&[(one, is_empty)], &[(other, is_empty)], anchors), [want], "{one} | {other}");
        }
    }

    #[test]
    fn an_item_more_is_another_shape() {
        assert_eq!(codes(&[("a", false)], &[("a", false), ("USER root", true)], &[]), ["C022"]);
        assert_eq!(codes(&[("a", false)], &[("a", true)], &[]), ["C022", "C022"]);
    }
}
