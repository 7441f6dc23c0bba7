//! A browser that does what a test says and tells what came of it, by its debugging protocol over two pipes.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, ErrorKind, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use throwaway_server::wait_until;

const LIMIT: Duration = Duration::from_mins(1);
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// Looks at a page for those who cannot see it or use no mouse; see `assets/axe.LICENSE.txt`.
const AXE: &str = include_str!("../assets/axe.min.js");

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    writer: File,
    heard: Receiver<Value>,
    session: Option<String>,
    next: u64,
    /// What the page complained of.
    pub(crate) complaints: Vec<String>,
    _folder: TempDir,
}

impl Browser {
    /// `None`: the machine has no browser.
    pub(crate) fn start() -> Option<Self> {
        let is_there = |name: &str| match Command::new(name).arg("--version").output() {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::NotFound, "{name}: {error}");
                false
            }
        };
        let name = NAMES.into_iter().find(|name| is_there(name))?;
        let folder = tempfile::tempdir().unwrap();
        let (told, heard) = (folder.path().join("told"), folder.path().join("heard"));
        for pipe in [&told, &heard] {
            assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
        }
        let child = Command::new("sh")
            .arg("-c")
            .arg(format!(
                "exec {name} --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync \
                 --disable-background-networking --disable-component-update --disable-extensions --hide-scrollbars \
                 --user-data-dir={} --remote-debugging-pipe 3<{} 4>{}",
                folder.path().join("profile").display(),
                told.display(),
                heard.display()
            ))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let writer = File::options().write(true).open(&told).unwrap();
        let reader = File::open(&heard).unwrap();
        let (sender, heard) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(reader).split(0).map_while(Result::ok) {
                if let Ok(message) = serde_json::from_slice(&message)
                    && sender.send(message).is_err()
                {
                    return;
                }
            }
        });
        let mut browser = Self {
            child,
            writer,
            heard,
            session: None,
            next: 0,
            complaints: Vec::new(),
            _folder: folder,
        };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let target = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", target);
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            browser.call(domain, json!({}));
        }
        Some(browser)
    }

    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.writer.write_all(message.to_string().as_bytes()).unwrap();
        self.writer.write_all(&[0]).unwrap();
        loop {
            let mut heard = self.heard.recv_timeout(LIMIT).expect("the browser answers");
            if heard["id"] == self.next {
                assert!(heard["error"].is_null(), "{method}: {}", heard["error"]);
                return heard["result"].take();
            }
            self.note(&heard);
        }
    }

    fn note(&mut self, event: &Value) {
        let params = &event["params"];
        let complaint = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => Some(params["exceptionDetails"].to_string()),
            Some("Runtime.consoleAPICalled") => ["error", "warning", "assert"]
                .contains(&params["type"].as_str().unwrap_or(""))
                .then(|| params["args"].to_string()),
            Some("Log.entryAdded") => {
                let entry = &params["entry"];
                (entry["level"] == "error").then(|| entry.to_string())
            }
            _ => None,
        };
        self.complaints.extend(complaint);
    }

    /// What a piece of JavaScript comes to.
    pub(crate) fn eval(&mut self, script: &str) -> Value {
        let params = json!({"expression": script, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.call("Runtime.evaluate", params);
        assert!(answer["exceptionDetails"].is_null(), "{script}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }

    /// Waits until a piece of JavaScript is true.
    #[track_caller]
    pub(crate) fn until(&mut self, script: &str) {
        // A page that is about to come has nothing yet.
        let tried =
            format!("(() => {{ try {{ return Boolean({script}) }} catch {{ return false }} }})()");
        let is_so = wait_until(LIMIT, || Ok(self.eval(&tried) == true));
        let shown = self.eval("document.body?.innerText");
        assert!(is_so.unwrap(), "{script} in:\n{}", shown.as_str().unwrap_or_default());
    }

    /// Waits until the page shows these words.
    #[track_caller]
    pub(crate) fn sees(&mut self, words: &str) {
        self.until(&format!("document.body.innerText.includes({})", json!(words)));
    }

    pub(crate) fn open(&mut self, address: &str) {
        self.call("Page.navigate", json!({"url": address}));
    }

    /// Clicks where the first thing is that can be clicked, bears these words and stands inside of `scope`.
    #[track_caller]
    pub(crate) fn click(&mut self, scope: &str, words: &str) {
        let find = format!(
            "[...document.querySelectorAll({scope})].flatMap(one => [...one.querySelectorAll('button, a, summary')])
                .find(one => one.textContent.trim() === {words} && !one.disabled && one.getClientRects().length > 0)",
            scope = json!(scope),
            words = json!(words)
        );
        // It must lie still, and nothing may lie above it: a page that was made wider, or a message that passes.
        let place = format!(
            "(async () => {{
                const one = {find};
                if (!one) return null;
                one.scrollIntoView({{block: 'center', behavior: 'instant'}});
                const before = one.getBoundingClientRect();
                await new Promise(done => setTimeout(done, 50));
                const box = one.getBoundingClientRect();
                const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
                const isStill = before.x === box.x && before.y === box.y && before.width === box.width;
                return isStill && one.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
            }})()"
        );
        let mut found = Value::Null;
        let came = wait_until(LIMIT, || {
            found = self.eval(&place);
            Ok(found.is_array())
        });
        assert!(came.unwrap(), "nothing to click: {words} in {scope}");
        let place = found;
        for kind in ["mousePressed", "mouseReleased"] {
            let params = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", params);
        }
    }

    /// Types into what has this selector, instead of what stood there.
    #[track_caller]
    pub(crate) fn fill(&mut self, selector: &str, text: &str) {
        let selector = json!(selector);
        self.until(&format!("document.querySelector({selector})"));
        self.eval(&format!("document.querySelector({selector}).focus()"));
        self.eval(&format!("document.querySelector({selector}).value = ''"));
        self.call("Input.insertText", json!({"text": text}));
    }

    pub(crate) fn press(&mut self, key: &str) {
        let text = if key == "Enter" { "\r" } else { "" };
        let code = if key == "Enter" { 13 } else { 9 };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let params = json!({"type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code});
            self.call("Input.dispatchKeyEvent", params);
        }
    }

    /// How large the window is, and whether light or dark is preferred.
    pub(crate) fn look(&mut self, width: u32, height: u32, scheme: &str) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", size);
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", features);
    }

    /// A picture of the whole page.
    pub(crate) fn picture(&mut self, file: &Path) {
        let params = json!({"format": "png", "captureBeyondViewport": true});
        let picture = self.call("Page.captureScreenshot", params);
        let bytes = decoded(picture["data"].as_str().unwrap());
        assert!(bytes.starts_with(b"\x89PNG"));
        fs::write(file, bytes).unwrap();
    }

    /// What keeps people from using the page who cannot see it or use no mouse; the grave findings only.
    pub(crate) fn barriers(&mut self) -> Vec<String> {
        self.eval(&format!("{AXE}; true"));
        let found = self.eval(
            "axe.run().then(found => found.violations.filter(one => ['serious', 'critical'].includes(one.impact))
                .flatMap(one => one.nodes.map(node => `${one.id}: ${node.html} ${node.failureSummary}`)))",
        );
        found.as_array().unwrap().iter().map(ToString::to_string).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Base64.
fn decoded(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for digit in text.bytes().filter_map(|byte| DIGITS.iter().position(|digit| *digit == byte)) {
        held = held << 6 | u32::try_from(digit).unwrap();
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).unwrap());
        }
    }
    bytes
}
