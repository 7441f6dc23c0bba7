//! A server that soon deletes what was not read.

use throwaway_server::{Flavor, Server};

use super::{follow, last_read};
use crate::stage::Stage;

/// So long the server keeps its log, in seconds.
const KEPT: i64 = 10 * 3_600;

#[test]
fn half_of_the_logs_time_is_warned_of() {
    let kept = format!("--binlog-expire-logs-seconds={KEPT}");
    let server = Server::start_with(Flavor::MariaDb, &[&kept]).unwrap();
    let mut stage = Stage::on(server.create_database().unwrap());
    follow(&mut stage);
    stage.run(&["validate", "--online"]).said(&["the server keeps its binlog for 10 hours only"]);
    stage.run(&["run"]).ended(0);
    let warns = |stage: &Stage| {
        stage
            .run(&["status"])
            .ended(0)
            .out
            .contains("the server keeps its binlog for 10 hours, and half of that has passed")
    };
    assert!(!warns(&stage));
    last_read(&stage, KEPT * 4 / 10);
    assert!(!warns(&stage));
    last_read(&stage, KEPT * 6 / 10);
    assert!(warns(&stage));
    stage.run(&["run"]).ended(0);
    assert!(!warns(&stage));
}
