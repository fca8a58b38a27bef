//! The verdicts of `repro verify` as JUnit's XML: a suite an image, a test case a platform.

use super::verify::{VerdictName, VerifiedPlatform, VerifyDocument};
use crate::render::{RenderError, TestCase, TestSuite, test_suites};

/// Causes that one test case tells.
const CAUSES: usize = 20;

/// The verdicts. What is not as recorded fails, and so does a run that ended before all were there.
pub fn verdicts_as_junit(document: &VerifyDocument) -> Result<String, RenderError> {
    let mut suites: Vec<TestSuite> = document
        .images
        .iter()
        .map(|image| {
            let causes = image.explanation.iter().flat_map(|told| &told.platforms).flat_map(|one| &one.differences);
            let mut lines: Vec<String> = Vec::new();
            for difference in causes {
                let line = format!("{} {}: {}", difference.code, difference.name, difference.message);
                if lines.len() < CAUSES && !lines.contains(&line) {
                    lines.push(line);
                }
            }
            let cases = image.platforms.iter().map(|platform| case(platform, &lines)).collect();
            TestSuite { name: image.image.clone(), cases }
        })
        .collect();
    if let Some(error) = &document.error {
        let failure = Some(("error".to_owned(), error.message.clone(), error.hint.clone().unwrap_or_default()));
        suites.push(TestSuite {
            name: "repro verify".to_owned(),
            cases: vec![TestCase { name: "finished".to_owned(), failure }],
        });
    }
    test_suites("repro verify", &suites)
}

fn case(platform: &VerifiedPlatform, causes: &[String]) -> TestCase {
    let name = platform.platform.clone();
    if platform.status == 0 {
        return TestCase { name, failure: None };
    }
    let verdict = match platform.verdict {
        Some(VerdictName::Reproduced) => "reproduced",
        Some(VerdictName::Content) => "content",
        Some(VerdictName::OpenNetwork) => "open-network",
        Some(VerdictName::Packaging) => "packaging",
        Some(VerdictName::Differs) => "differs",
        None => "not rebuilt",
    };
    let manifest = |image: &Option<super::build::BuiltPlatform>| {
        image.as_ref().map_or_else(|| "none".to_owned(), |image| image.manifest.clone())
    };
    let level = platform.level.as_ref().map(|level| format!(" in the {level}")).unwrap_or_default();
    let message =
        format!("{verdict}{level}: expected {}, rebuilt {}", manifest(&platform.expected), manifest(&platform.rebuilt));
    let text = platform.cause.iter().chain(causes).cloned().collect::<Vec<_>>().join("\n");
    TestCase { name, failure: Some((verdict.to_owned(), message, text)) }
}
