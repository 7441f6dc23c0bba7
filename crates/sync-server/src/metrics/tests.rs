//! The page of metrics.

mod rules;

use std::time::Duration;

use super::page::Page;
use crate::live::{CALL_BOUNDS, Histogram};

#[test]
fn labels_are_escaped_and_buckets_add_up() {
    let mut page = Page::default();
    page.gauge("a", "What it is");
    page.sample("a", &[("sync", "quo\"te\\ and\nline")], 1);
    let mut times = Histogram::new(CALL_BOUNDS);
    times.add(Duration::from_millis(20));
    times.add(Duration::from_mins(1));
    page.times("t", ("kind", "create"), &times);
    let text = page.text();
    assert!(text.starts_with(
        "# HELP a What it is.\n# TYPE a gauge\na{sync=\"quo\\\"te\\\\ and\\nline\"} 1\n"
    ));
    assert!(text.contains("t_bucket{kind=\"create\",le=\"0.05\"} 1\n"));
    assert!(text.contains("t_bucket{kind=\"create\",le=\"30\"} 1\n"));
    assert!(text.contains("t_bucket{kind=\"create\",le=\"+Inf\"} 2\n"));
    assert!(text.ends_with("t_sum{kind=\"create\"} 60.02\nt_count{kind=\"create\"} 2\n"));
}
