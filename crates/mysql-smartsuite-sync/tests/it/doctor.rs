//! Everything that can be looked at before a run, each with its remedy.

use smartsuite_emulator::RouteKind::Solutions;

use crate::stage::{Stage, on_every_server, on_mariadb};

on_every_server! {
    what_is_well_is_said
}

on_mariadb! {
    what_is_wrong_is_said_with_its_remedy
    missing_settings_do_not_keep_it_from_looking_at_the_rest
}

fn what_is_well_is_said(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    let act = stage.run(&["doctor"]).ended(0).cost(&[Solutions]);
    act.said(&[
        "ok       settings           complete",
        "ok       state              `sync_state.db` can be read and written",
        "ok       lock               no sync is being run",
        "MB are free",
        "right SELECT       in database",
        "right PROCESS      positions are exact",
        "the server's differs from this machine's by 0.0 s",
        "sees 1 solution",
        "nothing stands in the way of a run",
    ]);
    let json = stage.run(&["doctor", "--json"]).ended(0).json();
    assert_eq!(json["exit_code"], 0);
    assert!(json["checks"].as_array().unwrap().iter().all(|check| check["health"] != "error"));
}

fn what_is_wrong_is_said_with_its_remedy(stage: &mut Stage) {
    let user = stage.database.create_user("SELECT, INSERT, DELETE", "USAGE").unwrap();
    stage.setting("MYSQL_USER", user.name.clone());
    stage.setting("MYSQL_PASSWORD", user.password.clone());
    stage.setting("SMARTSUITE_TOKEN", "wrong");
    stage.remap("primary_key: id", "primry_key: id");
    let act = stage.run(&["doctor"]).ended(1);
    act.said(&[
        "error    mapping file       `config/sync_mappings.yml` has",
        "hint: `validate` shows each with its place",
        "warning  right PROCESS      missing",
        "hint: GRANT PROCESS ON *.*",
        "warning  more rights        the account may also INSERT, DELETE: a sync only reads",
        "error    SmartSuite         SmartSuite does not accept the token [smartsuite_token_rejected]",
        "hint: check SMARTSUITE_TOKEN",
        "2 things are to be mended",
    ]);
    stage.setting("MYSQL_PORT", "9");
    stage.run(&["doctor"]).ended(1).said(&["error    MySQL", "[mysql_unreachable]"]);
}

fn missing_settings_do_not_keep_it_from_looking_at_the_rest(stage: &mut Stage) {
    stage.unset("MYSQL_HOST");
    stage.run(&["doctor"]).ended(1).cost_nothing().said(&[
        "error    settings",
        "MYSQL_HOST",
        "ok       mapping file",
        "unknown  MySQL         not asked: settings are missing",
    ]);
}
