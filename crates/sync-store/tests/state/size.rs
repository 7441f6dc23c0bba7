//! How large the state grows: about 60 MB a million links.

use jiff::Timestamp;
use sync_core::{
    draft::Fingerprint,
    key::Key,
    record::RecordId,
    state::{Origin, SeenLink, StateStore as _},
};

use crate::fixture::State;

const LINKS: u64 = 30_000;
const BYTES_MAX: f64 = 62.0;

/// A number that looks like chance and is the same every time.
fn scattered(seed: u64) -> u64 {
    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn link(number: u64, key: Key) -> SeenLink {
    let noise = u128::from(scattered(number)) << 64 | u128::from(scattered(!number));
    SeenLink {
        key: Some(key),
        record: RecordId(format!("{:024x}", noise >> 32)),
        fingerprint: Some(Fingerprint(noise.to_be_bytes())),
        origin: Origin::Adopted,
    }
}

/// Bytes a link takes once it was made and updated.
fn bytes_a_link(key: impl Fn(u64) -> Key) -> f64 {
    let mut state = State::new();
    state.store.begin_scan(&state.writer).unwrap();
    let numbers: Vec<u64> = (0..LINKS).collect();
    for chunk in numbers.chunks(1000) {
        let seen: Vec<SeenLink> = chunk.iter().map(|number| link(*number, key(*number))).collect();
        state.store.link_seen(&state.writer, &seen, None, Timestamp::UNIX_EPOCH).unwrap();
    }
    let sql = state.sql();
    sql.execute_batch("UPDATE links SET created_at = 1764000000, updated_at = 1764000060").unwrap();
    let (links, bytes): (f64, f64) = sql
        .query_row(
            "SELECT (SELECT count(*) FROM links), sum(pgsize) FROM dbstat WHERE name = 'links'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert!((links - 30_000.0).abs() < 0.5);
    bytes / links
}

#[test]
#[expect(clippy::print_stdout, reason = "the figure is what the test is run for")]
fn a_million_links_take_about_sixty_megabytes() {
    let rising = bytes_a_link(|number| Key::Int(i64::try_from(number).unwrap()));
    println!("rising integer keys: {rising:.1} MB a million links");
    let scattered =
        bytes_a_link(|number| Key::Int(i64::try_from(scattered(number) >> 34).unwrap()));
    println!("scattered integer keys: {scattered:.1} MB a million links");
    assert!(rising < BYTES_MAX && scattered < BYTES_MAX, "{rising:.1}, {scattered:.1}");
}
