//! Four reports, opened, looked at and clicked: nothing differs, a little, 100,000 files, and names made to deceive.
//!
//! Pictures of each lie in `target/tmp/reports` afterwards.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::chromium::Chromium;
use super::page::Page;
use crate::project::Project;

/// Names that markup, scripts, terminals or objects would take for something else.
const HOSTILE: [&str; 9] = [
    "<img src=x onerror=alert(1)>",
    "<\u{2f}script><script>alert(1)<\u{2f}script>",
    "\"'`${alert(1)}",
    "&lt;b&gt;&#x27;",
    "__proto__",
    "constructor",
    "\u{202e}gpj.exe",
    "line\nend\u{1b}[31m",
    "<!--",
];

/// A project whose images `first.tar` and `second.tar` differ in an account's day, a user and what is below `srv`.
fn built(first: &[(&str, &str)], second: &[(&str, &str)]) -> Project {
    let project = Project::new();
    project.write("repro.toml", "version = 1\n[image.app]\n");
    for (image, files, day, user) in [("first", first, 19_000, 7), ("second", second, 19_001, 0)] {
        project
            .write("Dockerfile", format!("FROM scratch\nCOPY shadow /etc/\nCOPY srv /srv/\nUSER {user}\n"))
            .write("shadow", format!("app:*:{day}:0:99999:7:::\n"));
        std::fs::remove_dir_all(project.path().join("srv")).ok();
        for (path, content) in files {
            project.write(&format!("srv/{path}"), content);
        }
        project.commit();
        project.repro(&["lock"]).expect(0);
        project.repro(&["build", "-o", &format!("{image}.tar")]).expect(0);
    }
    project
}

/// The HTML report about two archives of the project.
fn report(project: &Project, first: &str, second: &str, status: i32) -> PathBuf {
    project.repro(&["diff", first, second, "--report", "report.html"]).expect(status);
    project.path().join("report.html")
}

/// Where a picture is kept.
fn picture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("reports").join(format!("{name}.png"))
}

/// Pictures on a desk, light and dark, and on a phone, where nothing may stand out to the right.
#[track_caller]
fn look(page: &mut Page<'_>, name: &str) {
    for (form, width, height, scheme) in
        [("light", 1280, 900, "light"), ("dark", 1280, 900, "dark"), ("phone", 390, 844, "light")]
    {
        page.view(width, height, scheme);
        page.value("scrollTo(0, 0)");
        page.picture(&picture(&format!("{name}-{form}")));
        let widest = page.value("document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(widest <= u64::from(width), "{name} on {form}: {widest} pixels wide");
    }
    page.view(1280, 900, "light");
}

#[test]
fn a_report_of_a_few_differences_is_searched_filtered_walked_and_copied_from() {
    let Some(mut browser) = Chromium::start() else { return };
    let project = built(
        &[("text", "one\ntwo\nthree\n"), ("deep/er/same", "a")],
        &[("text", "one\n2\nthree\n"), ("deep/er/same", "a"), ("deep/er/new", "b")],
    );
    let file = report(&project, "first.tar", "second.tar", 1);
    let mut page = Page::open(&mut browser, &file);
    page.allow_clipboard();
    look(&mut page, "small");
    let all = page.value("rows.length").as_u64().unwrap();
    let count = "document.getElementById('count').textContent";
    assert_eq!(page.text(count), format!("{all} of {all}"));

    page.click("#search");
    page.type_text("SHADOW");
    page.until(&format!("{count} === '1 of {all}'"));
    assert!(page.text("document.querySelector('#list').innerText").contains("C069 shadow-day"));
    page.value("document.getElementById('search').value = ''; filter()");

    for (list, label, want) in [
        ("#class", "benign", "C069"),
        ("#code", "C023", "User"),
        ("#layer", "2", "text"),
        ("#platform", "linux/amd64", "C069"),
    ] {
        page.choose(list, label);
        let shown = page.text("document.querySelector('#list').innerText");
        assert!(shown.contains(want), "{label}: {shown}");
        assert_eq!(shown.contains("C069"), want == "C069", "{label}: {shown}");
        page.choose(list, "all");
    }
    assert_eq!(page.text(count), format!("{all} of {all}"));

    page.click(".strip button:nth-child(2)");
    assert_eq!(page.text("document.getElementById('layer').value"), "2");
    page.choose("#layer", "all");
    page.choose("#platform", "all");

    page.value("[...document.querySelectorAll('.row')].find(row => row.textContent.startsWith('Stext')).id = 'wanted'");
    page.click("#wanted");
    let sides =
        page.value("[...document.querySelectorAll('#detail .gone, #detail .come')].map(cell => cell.textContent)");
    assert!(sides.as_array().unwrap().ends_with(&[json!("two"), json!("2")]), "{sides}");

    page.picture(&picture("small-chosen"));
    page.value("document.getElementById('list').focus()");
    let before = page.value("chosen").as_i64().unwrap();
    page.press("ArrowUp");
    assert_eq!(page.value("chosen"), before - 1);

    page.value("[...document.querySelectorAll('#causes details')].find(cause => cause.textContent.includes('C069')).id = 'cause'");
    page.click("#cause summary");
    page.click("#cause button");
    page.until("document.querySelector('#cause button').textContent === 'Copied'");
    assert_eq!(page.text("navigator.clipboard.readText()"), "scrub = [\"shadow-day\"]");
    page.close();
}

#[test]
fn a_report_of_no_difference_says_so() {
    let Some(mut browser) = Chromium::start() else { return };
    let project = built(&[("text", "one\n")], &[("text", "two\n")]);
    let file = report(&project, "first.tar", "first.tar", 0);
    let mut page = Page::open(&mut browser, &file);
    look(&mut page, "none");
    let text = page.text("document.body.innerText");
    assert!(text.contains("the same") && !text.contains("Choose a line"), "{text}");
    page.close();
}

#[test]
fn names_made_to_deceive_are_shown_as_they_are() {
    let Some(mut browser) = Chromium::start() else { return };
    let files =
        |content| -> Vec<(&'static str, &'static str)> { HOSTILE.iter().map(|name| (*name, content)).collect() };
    let project = built(&files("<b>one</b>\n"), &files("</div>two\n"));
    let file = report(&project, "first.tar", "second.tar", 1);
    let mut page = Page::open(&mut browser, &file);
    look(&mut page, "hostile");
    let shown = page.text("document.querySelector('#list').innerText");
    for part in
        ["<img src=x onerror=alert(1)>", "__proto__", "constructor", "\\u{202e}gpj.exe", "\"'`${alert(1)}", "<!--"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(page.value("document.querySelectorAll('img, #list b, #detail b').length"), 0);
    for at in 0..page.value("shown.length").as_u64().unwrap() {
        page.value(&format!("shown[{at}].row && choose({at})"));
    }
    page.close();
}

/// A saved document in which so many files differ.
fn large(count: usize) -> Value {
    let mut differences = Vec::new();
    for at in 0..count {
        let mut path = String::new();
        let _ = write!(path, "usr/lib/python3/dist-packages/package{:03}/part{:02}/module{at}.py", at % 400, at % 17);
        let (code, name, class) =
            [("C120", "unexplained", "S"), ("C056", "missing-file", "N"), ("C087", "date-comment", "B")][at % 3];
        differences.push(json!({
            "code": code, "name": name, "class": class, "proof": "proven", "level": "entry", "layer": at % 9 + 1,
            "path": path, "field": null, "aspects": ["content"],
            "first": format!("{at} bytes, sha256:{}", "a".repeat(64)), "second": format!("{at} bytes, sha256:{}", "b".repeat(64)),
            "line": null, "message": "a file differs", "help": "look at it",
            "detail": {"kind": "text", "more": 0, "hunks": [{"first": 1, "second": 1, "lines": [" same", format!("-{at}"), "+other"]}]},
        }));
    }
    let layers: Vec<Value> = (0..9u64)
        .map(|at| json!({"diffId": null, "digest": null, "size": 1 << (at * 3), "instruction": "RUN a"}))
        .collect();
    let image = json!({"manifest": null, "config": null, "layers": layers});
    json!({
        "version": 1, "status": 1, "same": false, "first": {"source": "first.tar"}, "second": {"source": "second.tar"},
        "index": [], "ignored": [], "error": null,
        "platforms": [{"platform": "linux/amd64", "verdict": "differs", "first": image, "second": image, "unread": 0,
            "differences": differences}],
    })
}

#[test]
fn a_report_of_a_hundred_thousand_files_opens_in_two_seconds_and_scrolls() {
    let Some(mut browser) = Chromium::start() else { return };
    let project = Project::bare();
    project.write("large.json", large(100_000).to_string());
    project.repro(&["report", "large.json", "-o", "large.html"]).expect(0);
    let file = project.path().join("large.html");
    let size = file.metadata().unwrap().len();
    assert!(size < 25 << 20, "{size} bytes");
    // The machine may be at work beside: the fastest of a few counts.
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let page = Page::open(&mut browser, &file);
        fastest = fastest.min(page.opened_in);
        page.close();
        if fastest < Duration::from_secs(2) {
            break;
        }
    }
    assert!(fastest < Duration::from_secs(2), "{fastest:?}");
    let mut page = Page::open(&mut browser, &file);
    look(&mut page, "large");
    assert!(page.text("document.body.innerText").contains("are shown without"), "the cap is said");
    assert!(page.value("shown.length").as_u64().unwrap() > 100_000);
    let rows = "document.querySelectorAll('.row').length";
    assert!(page.value(rows).as_u64().unwrap() < 200);
    page.value("document.getElementById('list').scrollTop = 1e9");
    page.until("document.getElementById('row' + (shown.length - 1)) !== null");
    assert!(page.value(rows).as_u64().unwrap() < 200);
    page.click("#search");
    page.type_text("module99999.py");
    page.until("document.getElementById('count').textContent === '1 of 100000'");
    page.close();
}
