use std::fs;

use insta::assert_snapshot;
use sync_mysql::SslMode;
use tempfile::TempDir;

use super::*;

/// Lines `NAME=value` as the process's environment.
fn process(lines: &'static str) -> impl Fn(&str) -> Option<String> + 'static {
    move |name| {
        lines.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
    }
}

fn environment(lines: &'static str, file: &str) -> Environment {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(".env");
    fs::write(&path, file).unwrap();
    Environment::read(&path, process(lines)).unwrap()
}

const COMPLETE: &str = "MYSQL_HOST=db
MYSQL_USER=reader
MYSQL_PASSWORD=hunter2
MYSQL_DATABASE=shop
SMARTSUITE_TOKEN=token-hunter2
SMARTSUITE_ACCOUNT_ID=s1234567
";

#[test]
fn what_is_not_said_has_a_default() {
    let settings = environment(COMPLETE, "").settings(&Flags::default()).unwrap();
    assert_eq!(
        settings.local,
        LocalSettings {
            log_level: LogLevel::Info,
            log_format: LogFormat::Text,
            interval_minutes: 5,
            state_path: PathBuf::from("sync_state.db"),
        }
    );
    let mysql = settings.mysql;
    assert_eq!((mysql.host.as_str(), mysql.port, mysql.database.as_str()), ("db", 3306, "shop"));
    assert_eq!((mysql.ssl_mode, mysql.ssl_ca), (None, None));
    assert_eq!(mysql.password.expose(), "hunter2");
    assert_eq!(settings.smartsuite.base_url, BASE_URL);
    assert_eq!(settings.smartsuite.token.expose(), "token-hunter2");
}

#[test]
fn everything_can_be_said() {
    let lines = "MYSQL_PORT=3307
MYSQL_SSL_MODE=REQUIRED
MYSQL_SSL_CA=/ca.pem
SMARTSUITE_BASE_URL=http://127.0.0.1:8080
SYNC_INTERVAL_MINUTES=15
LOG_LEVEL=warn
STATE_DB_PATH=/var/lib/sync/state.db
";
    let settings = environment(lines, COMPLETE).settings(&Flags::default()).unwrap();
    assert_eq!(settings.mysql.port, 3307);
    assert_eq!(settings.mysql.ssl_mode, Some(SslMode::Required));
    assert_eq!(settings.mysql.ssl_ca, Some(PathBuf::from("/ca.pem")));
    assert_eq!(settings.smartsuite.base_url, "http://127.0.0.1:8080");
    assert_eq!(settings.local.interval_minutes, 15);
    assert_eq!(settings.local.log_level, LogLevel::Warning);
    assert_eq!(settings.local.state_path, PathBuf::from("/var/lib/sync/state.db"));
}

#[test]
fn naming_an_authority_asks_for_the_server_to_be_checked() {
    let settings = environment("MYSQL_SSL_CA=/ca.pem", COMPLETE).settings(&Flags::default());
    assert_eq!(settings.unwrap().mysql.ssl_mode, Some(SslMode::VerifyIdentity));
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file() {
    let (lines, file) =
        ("LOG_LEVEL=ERROR\nSYNC_INTERVAL_MINUTES=", "LOG_LEVEL=DEBUG\nSYNC_INTERVAL_MINUTES=7");
    let environment = environment(lines, file);
    let level = |flags: &Flags| environment.local_settings(flags).unwrap().log_level;
    assert_eq!(level(&Flags::default()), LogLevel::Error);
    let flags = Flags { log_level: Some(LogLevel::Info), ..Flags::default() };
    assert_eq!(level(&flags), LogLevel::Info);
    // An empty variable of the process says nothing.
    assert_eq!(environment.local_settings(&flags).unwrap().interval_minutes, 7);
}

#[test]
fn everything_missing_is_named_at_once() {
    let error = environment("", "").settings(&Flags::default()).unwrap_err();
    assert_snapshot!(format!("{error}\n\nhint: {}", SettingsError::HINT));
}

#[test]
fn everything_wrong_is_named_at_once_with_its_origin_and_without_its_value() {
    let lines = "MYSQL_PORT=hunter2
MYSQL_SSL_MODE=hunter2
SMARTSUITE_TOKEN=hunter2 hunter2
SMARTSUITE_BASE_URL=hunter2
SYNC_INTERVAL_MINUTES=hunter2
";
    let file = "MYSQL_HOST=' '\nLOG_LEVEL=hunter2\nSMARTSUITE_ACCOUNT_ID=h\u{fc}nter2";
    let flags = Flags { interval_minutes: Some(0), ..Flags::default() };
    let error = environment(lines, file).settings(&flags).unwrap_err();
    assert_snapshot!(error);
    assert!(!format!("{error} {error:?}").contains("nter2"));
}

#[test]
fn secrets_are_in_no_debug_output() {
    let environment = environment("SMARTSUITE_TOKEN=hunter2", COMPLETE);
    let settings = environment.settings(&Flags::default()).unwrap();
    assert!(!format!("{environment:?} {settings:?}").contains("hunter2"));
}

#[test]
fn commands_without_servers_need_nothing() {
    assert!(environment("", "").local_settings(&Flags::default()).is_ok());
}

#[test]
fn a_password_may_be_empty_and_keeps_its_spaces() {
    let without = COMPLETE.replace("MYSQL_PASSWORD=hunter2\n", "");
    let password = |lines: &'static str, line: &str| {
        let settings = environment(lines, &format!("{without}{line}")).settings(&Flags::default());
        settings.map(|settings| settings.mysql.password.expose().to_owned())
    };
    assert_eq!(password("", "MYSQL_PASSWORD="), Ok(String::new()));
    assert_eq!(password("", "MYSQL_PASSWORD=' a b '"), Ok(" a b ".to_owned()));
    assert_eq!(password("MYSQL_PASSWORD=", "MYSQL_PASSWORD=x"), Ok("x".to_owned()));
    assert_eq!(password("MYSQL_PASSWORD=", ""), Ok(String::new()));
    let problem = SettingProblem { name: "MYSQL_PASSWORD", origin: None };
    assert_eq!(password("", ""), Err(SettingsError(vec![problem])));
}

#[test]
fn a_broken_file_is_reported_by_line_without_its_text() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(".env");
    fs::write(&path, "MYSQL_HOST=db\nhunter2\nMYSQL_USER=${hunter}\n").unwrap();
    let error = Environment::read(&path, process("")).unwrap_err();
    let text = error.to_string().replace(&path.display().to_string(), ".env");
    assert_snapshot!(text, @"`.env` cannot be used: line 2 is not of the form NAME=value, line 3 uses `${hunter}`, which is not set");
    let directory = Environment::read(folder.path(), process("")).unwrap_err();
    assert!(matches!(directory, EnvFileError::Unreadable { .. }), "{directory}");
    assert!(Environment::read(&folder.path().join("none"), process("")).is_ok());
}

#[test]
fn the_process_is_what_it_says() {
    let environment = Environment::of_process(Path::new("/nonexistent/.env")).unwrap();
    assert!(environment.get("PATH").is_some());
    assert_eq!(environment.get("MYSQL_SMARTSUITE_SYNC_NOT_SET"), None);
}

/// The example file names every variable, and what it comments out is the default.
#[test]
fn the_example_names_every_variable() {
    let example = include_str!("../../../../.env.example");
    for (name, _) in VARIABLES {
        assert!(
            example
                .lines()
                .any(|line| line.trim_start_matches('#').starts_with(&format!("{name}="))),
            "{name}"
        );
    }
    let default = |name: &str| {
        let line = example
            .lines()
            .find_map(|line| line.strip_prefix('#')?.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("{name}")).to_owned()
    };
    // The client adds the path where only a host is given.
    assert_eq!(default("SMARTSUITE_BASE_URL") + "/api/v1", BASE_URL);
    assert_eq!(default("SYNC_INTERVAL_MINUTES"), INTERVAL_MINUTES.to_string());
    assert_eq!(default("STATE_DB_PATH"), STATE_PATH);
    assert_eq!(default("LOG_LEVEL").parse(), Ok(LogLevel::Info));
}
