//! An answer takes memory in proportion to its bytes, whatever is in it.

use std::fmt::Write;

use sync_core::{
    port::{RecordFilter, RecordTarget},
    record::RecordId,
};

use crate::{
    fixture::{row, shape},
    scripted::client,
};

/// The most memory this process has held, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Small objects: loaded as a tree they take ninety times their text.
fn objects(bytes: usize) -> String {
    let mut text = String::from("[");
    while text.len() < bytes {
        write!(text, "{{\"a\":{}}},", text.len() % 10).unwrap();
    }
    text + "{}]"
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_hostile_answer_cannot_take_a_multiple_of_its_size() {
    const BYTES: usize = 1 << 20;
    // One bounded tree, and some copies of the text: the script's, the client's. A whole tree would take more.
    const MEMORY_MAX: usize = 80 << 20;
    let objects = objects(BYTES);
    let before = peak();
    let bodies = [
        objects.clone(),
        format!("{{\"items\":{objects},\"total\":1}}"),
        format!("{{\"id\":\"r1\",\"sext\":{objects}}}"),
        format!("[{{\"id\":\"r1\",\"sext\":{objects}}}]"),
        format!("{{\"failed_items\":{objects}}}"),
        format!("{{\"structure\":{objects}}}"),
        format!(
            "{{\"structure\":[{{\"slug\":\"s\",\"field_type\":\"x\",\"params\":{{\"choices\":{objects}}}}}]}}"
        ),
    ];
    let answers = bodies.iter().map(|body| (200, body.as_str())).chain([(400, objects.as_str())]);
    for answer in answers {
        let (client, _script) = client(&[answer; 4]);
        let (shape, id) = (shape(), RecordId("r1".to_owned()));
        let _structure = client.structure("t1").await;
        let _created = client.create(&shape, &[row("k1")]).await;
        let _record = client.get(&shape, &id).await;
        let _page = client.list(&shape, &RecordFilter::All, 0, 1000).await;
    }
    let taken = peak() - before;
    assert!(taken < MEMORY_MAX, "{} MiB", taken >> 20);
}
