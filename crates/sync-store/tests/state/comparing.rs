//! Comparing both sides: neither has to fit into memory.

use sync_core::{
    comparison::{ComparedRecord, ComparedRow, Content},
    draft::Fingerprint,
    key::Key,
    record::RecordId,
    slug::Slug,
    state::{ComparisonStore as _, RestPolicy},
};

use crate::fixture::State;

/// Ten fields, as a row of some width has.
fn content(number: u64) -> Content {
    let fingerprint = Fingerprint((u128::from(number) << 32).to_be_bytes());
    Content { fingerprint, digests: number.to_be_bytes().repeat(5) }
}

fn record(number: u64) -> ComparedRecord {
    ComparedRecord {
        record: RecordId(format!("{number:024x}")),
        external_id: Some(number.to_string()),
        autonumber: Some(number),
        content: content(number),
        is_untouched: true,
    }
}

fn row(number: u64) -> ComparedRow {
    let key = Key::Int(i64::try_from(number).unwrap());
    ComparedRow { key, external_id: number.to_string(), wish: Ok(content(number)) }
}

/// Most memory that this process ever had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
}

#[test]
#[expect(clippy::print_stdout, reason = "the figure is what the test is run for")]
fn two_sides_of_100_000_are_compared_in_little_memory() {
    let mut state = State::new();
    let (writer, now, store) = (state.writer, state.now, &mut state.store);
    store.begin_comparison(&writer, now).unwrap();
    let before = peak();
    let numbers: Vec<u64> = (1..=100_000).collect();
    for numbers in numbers.chunks(1_000) {
        let records: Vec<ComparedRecord> = numbers.iter().copied().map(record).collect();
        store.keep_records(&writer, &records).unwrap();
    }
    let mut equal = 0;
    let shape: Vec<Slug> = (0..10).map(|place| Slug::from(format!("s{place}"))).collect();
    // Rows come in another order than records.
    for numbers in numbers.chunks(1_000).rev() {
        let rows: Vec<ComparedRow> = numbers.iter().copied().map(row).collect();
        equal += store.compare_rows(&writer, &rows, &shape, false).unwrap().equal;
    }
    let policy = RestPolicy { key_prefix: String::new(), keeps_records: true };
    let (rest, last) = store.compare_rest(&writer, &policy, 0, 1_000).unwrap();
    assert_eq!((equal, rest.people, rest.others, last), (100_000, 0, 0, None));
    assert_eq!(store.count_differences(&writer).unwrap(), []);
    let grown = peak() - before;
    println!("{grown} MiB more for 100,000 records and rows");
    assert!(grown < 10, "{grown} MiB");
}
