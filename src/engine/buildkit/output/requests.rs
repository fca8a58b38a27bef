//! What each step of a taped build asked for, as the log tells it.

use std::collections::BTreeMap;

use crate::build::StepRequests;
use crate::dockerfile::syntax::Dockerfile;
use crate::engine::buildkit::failure::{REQUESTS, heading};

/// The requests that a log with true URLs tells, by step.
pub fn requests(log: impl Iterator<Item = impl AsRef<str>>, dockerfile: &Dockerfile) -> Vec<StepRequests> {
    let mut steps = read_requests(log);
    for step in &mut steps {
        step.line = heading::line(&step.step, dockerfile);
    }
    steps
}

fn read_requests(lines: impl Iterator<Item = impl AsRef<str>>) -> Vec<StepRequests> {
    let mut names: BTreeMap<u64, String> = BTreeMap::new();
    let mut listing: BTreeMap<u64, Vec<(String, u16)>> = BTreeMap::new();
    for line in lines {
        let Some((number, rest)) = line.as_ref().strip_prefix('#').and_then(|line| line.split_once(' ')) else {
            continue;
        };
        let Ok(number) = number.parse::<u64>() else { continue };
        if rest.starts_with('[') {
            names.entry(number).or_insert_with(|| rest.to_owned());
            continue;
        }
        // After the time, a line of the step; the step can write anything, so this is for people only.
        let Some((_, said)) = rest.split_once(' ') else { continue };
        if said == REQUESTS {
            listing.insert(number, Vec::new());
        } else if let Some(known) = listing.get_mut(&number)
            && let Some((request, status)) = said.strip_prefix("- ").and_then(|request| request.rsplit_once(" -> "))
            && let Some((_method, url)) = request.split_once(' ')
            && let Ok(status) = status.parse()
        {
            known.push((url.to_owned(), status));
        }
    }
    let name = |number: u64| names.get(&number).cloned().unwrap_or_else(|| format!("#{number}"));
    listing.into_iter().map(|(number, requests)| StepRequests { step: name(number), line: None, requests }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_of_each_step_are_read_from_the_log() {
        let log = "#5 [2/3] RUN curl x\n#5 0.1 - GET https://h.example/no -> 200\n#5 0.241 proxy network requests:\n\
                   #5 0.241 - GET https://h.example/a?b -> 200\n#6 [3/3] RUN true\n#5 0.241 - HEAD http://h.example/c -> 404\n\
                   #5 DONE 0.2s\n#6 DONE 0.1s\n";
        let requests = vec![("https://h.example/a?b".to_owned(), 200), ("http://h.example/c".to_owned(), 404)];
        assert_eq!(
            read_requests(log.lines()),
            [StepRequests { step: "[2/3] RUN curl x".to_owned(), line: None, requests }]
        );
    }
}
