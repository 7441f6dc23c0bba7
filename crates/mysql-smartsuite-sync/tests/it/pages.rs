//! The pages as people use them: in a real browser, by clicks, against a real service.

use std::{fs, path::PathBuf, time::Duration};

use throwaway_server::wait_until;

use crate::{
    browser::Browser,
    stage::{CUSTOMERS, Stage, on_mariadb},
    web::Service,
};

on_mariadb! {
    people_use_the_pages
    a_page_outlives_a_restart_and_asks_for_a_token
}

const LIMIT: Duration = Duration::from_secs(30);

fn browser() -> Option<Browser> {
    let browser = Browser::start();
    if browser.is_none() {
        eprintln!("\n*** SKIPPED: no Chromium here, so no browser has looked at the pages ***\n");
    }
    browser
}

/// Looks at the page in view on a desk and on a phone, in light and dark, and lets what keeps people out fail.
fn look(browser: &mut Browser, name: &str) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&folder).unwrap();
    for (device, width, height) in [("desk", 1280, 900), ("phone", 390, 844)] {
        for scheme in ["light", "dark"] {
            browser.look(width, height, scheme);
            browser.eval("scrollTo(0, 0)");
            browser.picture(&folder.join(format!("{name}-{device}-{scheme}.png")));
            let wide = browser.eval("document.documentElement.scrollWidth > innerWidth");
            assert_eq!(wide, false, "{name} is wider than a {device}");
        }
        if device == "desk" || name == "sync" {
            for scheme in ["light", "dark"] {
                browser.look(width, height, scheme);
                assert_eq!(browser.barriers(), [""; 0], "{name} on a {device}, {scheme}");
            }
        }
    }
    browser.look(1280, 900, "light");
}

fn people_use_the_pages(stage: &mut Stage) {
    let Some(mut browser) = browser() else { return };
    stage.refuse_texts_beyond(Some(60));
    stage.map(&format!("smartsuite: {{plan: team}}\n{}", stage.mapping()));
    stage.sql("UPDATE customers SET company = repeat('x', 61) WHERE id IN (2, 4)");
    let service = Service::start(stage, &["--interval", "60", "--run-immediately"]);
    browser.look(1280, 900, "light");
    browser.open(&format!("http://{}/", service.address));
    browser.sees("customers needs a look");
    browser.sees("2 rows in quarantine");
    look(&mut browser, "overview");

    // One runs, and the page shows it without being loaded again.
    stage.sql("UPDATE orders SET total_amount = 12.5 WHERE id = 1");
    browser.eval("window.stays = true");
    browser.click(".sync", "orders");
    browser.sees("What goes where");
    browser.until("document.querySelectorAll('tbody tr[data-key^=run-]').length === 1");
    browser.click(".actions", "Run now");
    browser.until("document.querySelectorAll('tbody tr[data-key^=run-]').length === 2");
    look(&mut browser, "sync");
    browser.click(".actions", "Read everything again\u{2026}");
    browser.click("dialog", "Cancel");
    browser.until("!document.querySelector('dialog')");
    browser.click(".actions", "Read everything again\u{2026}");
    browser.click("dialog", "Read everything");
    browser.until("document.querySelectorAll('tbody tr[data-key^=run-]').length === 3");
    browser.click(".actions", "Pause");
    browser.until("document.querySelector('h1').innerText.includes('Paused')");
    browser.click(".actions", "Resume");
    browser.until("document.querySelector('h1').innerText.includes('In step')");

    // By keyboard: the search is a form like any other.
    browser.click("nav", "Records");
    browser.fill("input[name=key]", "3");
    browser.eval("document.querySelector('select[name=sync]').value = 'customers'");
    browser.press("Enter");
    browser.sees("What was done");
    browser.sees("created by this tool");
    look(&mut browser, "record");

    browser.click("nav", "Quarantine");
    browser.sees("2 rows refused");
    browser.click(".rows", "What was to be written");
    browser.sees("GB 2079460958");
    assert_eq!(browser.eval("document.body.innerText.includes('{')"), false, "a value is no text");
    look(&mut browser, "quarantine");
    browser.click("[data-key='customers 4']", "Forget\u{2026}");
    browser.click("dialog", "Forget");
    browser.sees("1 row refused");
    stage.refuse_texts_beyond(None);
    browser.click("[data-key='customers 2']", "Try again");
    browser.sees("No row is refused");
    let arrived = wait_until(LIMIT, || Ok(stage.records(CUSTOMERS).contains_key("2")));
    assert!(arrived.unwrap());

    browser.click("nav", "Budget");
    for words in
        ["The month's calls will last", "of 5,000 until", "Kept for people", "Calls a day, by sync"]
    {
        browser.sees(words);
    }
    look(&mut browser, "budget");
    assert_eq!(browser.eval("window.stays"), true, "the page was loaded again");
    assert_eq!(browser.complaints, [""; 0]);
    service.end(stage);
}

fn a_page_outlives_a_restart_and_asks_for_a_token(stage: &mut Stage) {
    let Some(mut browser) = browser() else { return };
    stage.setting("SYNC_OPERATOR_TOKEN", "operator-0123456789");
    stage.setting("SYNC_VIEWER_TOKEN", "viewer-0123456789");
    let service = Service::start(stage, &["--interval", "60"]);
    let address = service.address.clone();
    browser.look(1280, 900, "light");
    browser.open(&format!("http://{address}/syncs/customers"));
    browser.sees("Sign in");
    look(&mut browser, "sign-in");
    browser.fill("#token", "a-wrong-token-0123");
    browser.press("Enter");
    browser.sees("none of this service");
    browser.fill("#token", "viewer-0123456789");
    browser.press("Enter");
    browser.sees("read-only");
    browser.sees("What goes where");
    assert_eq!(browser.eval("document.querySelectorAll('[data-act=run]').length"), 0);
    service.end(stage);
    browser.sees("no answer");
    let service = Service::start(stage, &["--interval", "60", "--listen", &address]);
    browser.sees("live");
    browser.sees("What goes where");
    browser.click("#who", "Sign out");
    browser.sees("Sign in");
    // What was refused, and what did not answer, the browser says itself.
    let is_expected = |line: &String| line.contains("401") || line.contains("ERR_");
    browser.complaints.retain(|line| !is_expected(line));
    assert_eq!(browser.complaints, [""; 0]);
    service.end(stage);
}
