//! Where a story plays: a database of its own, an emulator, a folder, and the program between them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use smartsuite_emulator::{DEMO_ACCOUNT, DEMO_TOKEN};
use tempfile::TempDir;
use throwaway_server::{Flavor, TestDatabase, TestUser};

use crate::{act::Act, emulator::Served};

/// The tables of the emulator's demo that the example configuration maps.
pub(crate) const CUSTOMERS: &str = "6500000000000000000000c1";
pub(crate) const ORDERS: &str = "6500000000000000000000d1";

/// Tells a story on every server.
macro_rules! on_every_server {
    ($($story:ident)+) => {
        $(
            mod $story {
                #[test]
                fn on_mariadb() {
                    crate::stage::Stage::tell(throwaway_server::Flavor::MariaDb, super::$story);
                }

                #[test]
                fn on_mysql() {
                    crate::stage::Stage::tell(throwaway_server::Flavor::MySql, super::$story);
                }
            }
        )+
    };
}
pub(crate) use on_every_server;

/// Tells a story that is not about the database on one server.
macro_rules! on_mariadb {
    ($($story:ident)+) => {
        $(
            mod $story {
                #[test]
                fn on_mariadb() {
                    crate::stage::Stage::tell(throwaway_server::Flavor::MariaDb, super::$story);
                }
            }
        )+
    };
}
pub(crate) use on_mariadb;

/// Everything the program meets.
pub(crate) struct Stage {
    pub(crate) smartsuite: Served,
    pub(crate) database: TestDatabase,
    pub(crate) user: TestUser,
    pub(crate) folder: TempDir,
    variables: BTreeMap<&'static str, String>,
}

impl Stage {
    /// Sets the stage with the sample's tables and the example's mapping file, and tells the story.
    pub(crate) fn tell(flavor: Flavor, story: fn(&mut Self)) {
        if let Some(database) = TestDatabase::create(flavor).unwrap() {
            story(&mut Self::on(database));
        }
    }

    /// The stage on this database.
    pub(crate) fn on(mut database: TestDatabase) -> Self {
        database.client().load(&project().join("sample/sample.sql")).unwrap();
        let user = database.create_user("SELECT", "PROCESS").unwrap();
        let smartsuite = Served::start();
        let folder = tempfile::tempdir().unwrap();
        let variables = BTreeMap::from([
            ("MYSQL_HOST", database.host().to_owned()),
            ("MYSQL_PORT", database.port().to_string()),
            ("MYSQL_USER", user.name.clone()),
            ("MYSQL_PASSWORD", user.password.clone()),
            ("MYSQL_DATABASE", database.name().to_owned()),
            ("SMARTSUITE_BASE_URL", smartsuite.url.clone()),
            ("SMARTSUITE_ACCOUNT_ID", DEMO_ACCOUNT.to_owned()),
            ("SMARTSUITE_TOKEN", DEMO_TOKEN.to_owned()),
            ("SYNC_TEST_OPEN_GATE", "1".to_owned()),
            ("SYNC_LISTEN", "off".to_owned()),
        ]);
        let stage = Self { smartsuite, database, user, folder, variables };
        stage.map(&without_links(&example()));
        stage
    }

    /// The whole example as the mapping file, with its links. Most tests want its syncs to have nothing to do with each
    /// other.
    pub(crate) fn map_with_links(&self) {
        self.map(&example());
    }

    /// Lets SmartSuite refuse texts that are longer than this, which nothing in the table's structure says.
    pub(crate) fn refuse_texts_beyond(&self, characters: Option<u32>) {
        self.smartsuite.with(|emulator| {
            let profile = smartsuite_emulator::Profile {
                max_text_chars: characters,
                ..emulator.profile().clone()
            };
            emulator.set_profile(profile);
        });
    }

    /// Changes the mapping file.
    pub(crate) fn map(&self, text: &str) {
        fs::create_dir_all(self.path("config")).unwrap();
        fs::write(self.path("config/sync_mappings.yml"), text).unwrap();
    }

    /// The mapping file as it is.
    pub(crate) fn mapping(&self) -> String {
        fs::read_to_string(self.path("config/sync_mappings.yml")).unwrap()
    }

    /// Changes a part of the mapping file.
    #[track_caller]
    pub(crate) fn remap(&self, from: &str, to: &str) {
        let text = self.mapping();
        assert!(text.contains(from), "`{from}` is not in the mapping file");
        self.map(&text.replace(from, to));
    }

    /// Sets a variable of the program's environment.
    pub(crate) fn setting(&mut self, name: &'static str, value: impl Into<String>) {
        self.variables.insert(name, value.into());
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> String {
        self.variables[name].clone()
    }

    /// Removes a variable.
    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// A path in the program's working directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The state file.
    pub(crate) fn state(&self) -> PathBuf {
        self.path("sync_state.db")
    }

    /// Asks the state file.
    pub(crate) fn state_value<T: rusqlite::types::FromSql>(&self, query: &str) -> T {
        let connection = rusqlite::Connection::open(self.state()).unwrap();
        connection.query_row(query, [], |row| row.get(0)).unwrap()
    }

    /// Runs SQL in the database.
    pub(crate) fn sql(&self, sql: &str) {
        self.database.execute(sql).unwrap();
    }

    /// The program, ready to start with these arguments. It dies with the thread that starts it, however that ends.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = mortal(env!("CARGO_BIN_EXE_mysql-smartsuite-sync"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Act {
        let before = self.smartsuite.newest_request();
        let output = self.program(arguments).output().unwrap();
        Act::new(&output, self.smartsuite.requests_after(before))
    }

    /// Starts the program and lets it run.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.program(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Waits for what was started.
    pub(crate) fn finish(&self, child: Child, since: u64) -> Act {
        let output = child.wait_with_output().unwrap();
        Act::new(&output, self.smartsuite.requests_after(since))
    }

    /// What SmartSuite holds, by external id, in the order of the ids.
    pub(crate) fn records(&self, table: &str) -> BTreeMap<String, Value> {
        let field = if table == CUSTOMERS { "scustextid" } else { "sorderexid" };
        let all = self.smartsuite.records(table);
        let count = all.len();
        let by_id: BTreeMap<String, Value> = all
            .into_iter()
            .map(|record| (record[field].as_str().unwrap_or_default().to_owned(), record))
            .collect();
        assert_eq!(by_id.len(), count, "a record is there twice");
        by_id
    }
}

/// The project's folder.
pub(crate) fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The time, as `SYNC_TEST_CLOCK` takes it.
pub(crate) fn now() -> String {
    let now = Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]).output().unwrap();
    String::from_utf8(now.stdout).unwrap().trim().to_owned()
}

/// Where Linux can be asked to kill a process when the thread that started it has ended.
const SETPRIV: &str = "/usr/bin/setpriv";

/// A program that dies with the thread that starts it, where the system can see to it.
fn mortal(program: &str) -> Command {
    if !Path::new(SETPRIV).exists() {
        return Command::new(program);
    }
    let mut command = Command::new(SETPRIV);
    command.args(["--pdeathsig", "KILL", program]);
    command
}

/// Sends a signal to a started program.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn example() -> String {
    fs::read_to_string(project().join("config/sync_mappings.example.yml")).unwrap()
}

fn without_links(mapping: &str) -> String {
    let (before, rest) = mapping.split_once("      # Linked-record fields, each").unwrap();
    let (_, after) = rest.split_once("      # The older way to say").unwrap();
    format!("{before}      # The older way to say{after}")
}

#[cfg(test)]
mod tests {
    use std::{process::Stdio, time::Duration};

    use throwaway_server::wait_until;

    use super::*;

    #[test]
    fn what_a_test_starts_dies_with_it() {
        let started = std::thread::spawn(|| {
            let mut command = mortal("/bin/sleep");
            let child = command.arg("600").stdout(Stdio::null()).spawn().unwrap();
            // Whoever ends before it has become what it is to be is not noticed.
            let program = format!("/proc/{}/cmdline", child.id());
            let is_asleep =
                || Ok(fs::read(&program).is_ok_and(|line| line.starts_with(b"/bin/sleep")));
            assert!(wait_until(Duration::from_secs(30), is_asleep).unwrap());
            child
        });
        let mut child = started.join().unwrap();
        if Path::new(SETPRIV).exists() {
            assert!(!child.wait().unwrap().success(), "it was not killed");
        } else {
            eprintln!("\n*** SKIPPED: no setpriv here ***\n");
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}
