//! A page that is open in the browser: what is in it, and a person's mouse and keyboard.

use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::chromium::Chromium;

/// A tab with one page.
pub struct Page<'a> {
    browser: &'a mut Chromium,
    session: String,
    target: String,
    address: String,
    /// From the call to the first rows on the screen.
    pub opened_in: Duration,
}

impl<'a> Page<'a> {
    /// Opens a file in a new tab and waits until it is drawn.
    pub fn open(browser: &'a mut Chromium, file: &Path) -> Self {
        browser.events.clear();
        let target = browser.call(None, "Target.createTarget", json!({"url": "about:blank"}));
        let target = target["targetId"].as_str().unwrap().to_owned();
        let session = browser.call(None, "Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        let session = session["sessionId"].as_str().unwrap().to_owned();
        let address = format!("file://{}", file.display());
        let mut page = Self { browser, session, target, address, opened_in: Duration::ZERO };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        page.call("Emulation.setFocusEmulationEnabled", json!({"enabled": true}));
        page.view(1280, 900, "light");
        page.browser.events.clear();
        let start = Instant::now();
        page.call("Page.navigate", json!({"url": page.address}));
        page.browser.wait("Page.loadEventFired");
        page.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))");
        page.opened_in = start.elapsed();
        page
    }

    #[track_caller]
    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.browser.call(Some(&self.session), method, parameters)
    }

    /// The size of the window in pixels, and `light` or `dark`.
    pub fn view(&mut self, width: u32, height: u32, scheme: &str) {
        let is_phone = width < 600;
        let factor = if is_phone { 2 } else { 1 };
        let size = json!({"width": width, "height": height, "deviceScaleFactor": factor, "mobile": is_phone});
        self.call("Emulation.setDeviceMetricsOverride", size);
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// The value of an expression of JavaScript in the page.
    #[track_caller]
    pub fn value(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut result = self.call("Runtime.evaluate", parameters);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].take()
    }

    /// The same as text.
    #[track_caller]
    pub fn text(&mut self, expression: &str) -> String {
        let value = self.value(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression}: {value}")).to_owned()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn until(&mut self, expression: &str) {
        let start = Instant::now();
        while self.value(expression) != true {
            assert!(start.elapsed() < Duration::from_secs(20), "never true: {expression}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks in the middle of the first element of that selector.
    #[track_caller]
    pub fn click(&mut self, selector: &str) {
        let place = self.value(&format!(
            "(() => {{ const e = document.querySelector({selector:?}); e.scrollIntoView({{block: 'nearest'}}); \
             const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Types text where the focus is.
    pub fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Presses a key such as `ArrowDown` where the focus is.
    pub fn press(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.call("Input.dispatchKeyEvent", json!({"type": kind, "key": key, "code": key}));
        }
    }

    /// Chooses the option of a list with that label.
    #[track_caller]
    pub fn choose(&mut self, list: &str, label: &str) {
        let is_there = self.value(&format!(
            "(() => {{ const list = document.querySelector({list:?}); \
             const option = [...list.options].find(option => option.label === {label:?}); if (!option) return false; \
             list.value = option.value; list.dispatchEvent(new Event('change', {{bubbles: true}})); return true; }})()"
        ));
        assert_eq!(is_there, true, "{list} has no {label}");
    }

    /// Lets the page read and write the clipboard.
    pub fn allow_clipboard(&mut self) {
        let parameters = json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
        self.browser.call(None, "Browser.grantPermissions", parameters);
    }

    /// Keeps a picture of what is on the screen, for people.
    pub fn picture(&mut self, file: &Path) {
        let picture = self.call("Page.captureScreenshot", json!({"format": "png"}));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()).unwrap();
    }

    /// Closes the tab: nothing was said on the console, and nothing was requested but the file.
    #[track_caller]
    pub fn close(mut self) {
        // What was said last has come when this is answered.
        self.value("0");
        self.browser.call(None, "Target.closeTarget", json!({"targetId": self.target}));
        let is_word = |event: &&Value| {
            ["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"]
                .contains(&event["method"].as_str().unwrap_or_default())
        };
        let words: Vec<&Value> = self.browser.events.iter().filter(is_word).collect();
        assert!(words.is_empty(), "on the console: {words:#?}");
        let requests = self.browser.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        let requests: Vec<&str> =
            requests.map(|event| event["params"]["request"]["url"].as_str().unwrap_or_default()).collect();
        assert_eq!(requests, [self.address.as_str()]);
    }
}
