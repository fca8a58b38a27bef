//! The native engine against the rig's real BuildKit: generated Dockerfiles and contexts, built by both.
//!
//! What BuildKit builds must come out of the native engine as the same archive, byte for byte; what BuildKit refuses
//! must be refused; reasons in other words are told, and no failure. A difference is made smaller before it is told. Without the rig's variables nothing runs, unless
//! `REPRO_REQUIRE_RIG=1`.
//!
//!     REPRO_DIFFERENTIAL=1000+2000 cargo test --test native differential -- --nocapture
//!
//! tries the 2,000 seeds from 1000 on; the usual run tries a few.

#![allow(clippy::disallowed_macros, reason = "what was found is told while it runs")]

mod builders;
mod case;
mod draw;
mod files;
mod found;
mod generate;
mod language;
mod reduce;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use crate::project::Project;
use builders::{Made, buildkit, explain, native, otherwise};
use case::Case;

/// What came of one case.
enum Outcome {
    Equal,
    /// Both refuse; what is told otherwise, if anything is.
    Refused(Option<String>),
    Differs(String),
}

fn try_case(case: &Case) -> Outcome {
    let project = Project::bare();
    case.lay_out(project.path());
    let (ours, theirs) = (native(case, &project), buildkit(case, project.path()));
    match (ours, theirs) {
        (Made::Image(ours), Made::Image(theirs)) if ours == theirs => Outcome::Equal,
        (Made::Image(ours), Made::Image(theirs)) => Outcome::Differs(explain(&ours, &theirs)),
        (Made::Refused(ours), Made::Refused(theirs)) => Outcome::Refused(otherwise(&ours, &theirs)),
        // Here the daemon builds or fails by what earlier builds made it look at; there is no right response.
        (Made::Refused(ours), Made::Image(_)) if ours.contains("unless its cache knows the source already") => {
            Outcome::Refused(None)
        }
        (Made::Refused(ours), Made::Image(_)) => Outcome::Differs(format!("only native refuses: {ours}")),
        (Made::Image(_), Made::Refused(theirs)) => Outcome::Differs(format!("only BuildKit refuses: {theirs}")),
    }
}

/// The first seed and the number of seeds.
fn wanted() -> (u64, u64) {
    let text = std::env::var("REPRO_DIFFERENTIAL").unwrap_or_else(|_| "1+60".to_owned());
    let (first, count) = text.split_once('+').unwrap_or((&text, "1"));
    (first.parse().unwrap(), count.parse().unwrap())
}

#[test]
fn what_was_built_differently_once_is_built_alike() {
    if crate::needs::variable("BUILDKIT_HOST").is_none() {
        return;
    }
    let tell = |case: &Case| match try_case(case) {
        Outcome::Equal => None,
        Outcome::Refused(otherwise) => otherwise.map(|otherwise| format!("{case}\n{otherwise}")),
        Outcome::Differs(difference) => Some(format!("{case}\n{difference}")),
    };
    let told: Vec<String> = found::cases().iter().filter_map(tell).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn what_buildkit_builds_is_built_alike_and_what_it_refuses_is_refused() {
    if crate::needs::variable("BUILDKIT_HOST").is_none() {
        return;
    }
    let (first, count) = wanted();
    let (next, differences) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    let (equal, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        break;
                    }
                    let case = if seed % 3 == 0 { language::case(seed) } else { generate::case(seed) };
                    if count == 1 {
                        println!("{case}");
                    }
                    match try_case(&case) {
                        Outcome::Equal => equal.fetch_add(1, Ordering::Relaxed),
                        Outcome::Refused(otherwise) => {
                            if let Some(otherwise) = otherwise {
                                println!("~~ {}: {otherwise}", case.name);
                            }
                            refused.fetch_add(1, Ordering::Relaxed)
                        }
                        Outcome::Differs(_) => {
                            let told = reduce::tell_smallest(case);
                            println!("{told}");
                            differences.lock().unwrap().push(told);
                            0
                        }
                    };
                }
            });
        }
    });
    let (equal, refused) = (equal.into_inner(), refused.into_inner());
    let differences = differences.into_inner().unwrap();
    println!("{count} cases from seed {first}: {equal} equal, {refused} refused by both, {} differ", differences.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    // A generator whose cases nobody can build proves little.
    assert!(count < 20 || equal as u64 * 5 > count * 2, "only {equal} of {count} cases were built");
}
