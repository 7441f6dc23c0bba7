//! Enough of the Dockerfile language for the file that we have, and an error for anything else.

use crate::project;

/// One stage: `FROM` up to the next.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) image: String,
    pub(crate) steps: Vec<Step>,
}

/// One instruction of a stage.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Run(String),
    /// Source, destination, and the stage it comes from.
    Copy {
        from: Option<String>,
        source: String,
        destination: String,
    },
    Workdir(String),
    Env(String, String),
    User(String),
    Volume(String),
    Entrypoint(Vec<String>),
    Cmd(Vec<String>),
}

/// The stages of the project's Dockerfile.
pub(crate) fn stages() -> Vec<Stage> {
    parse(&project::text("Dockerfile"))
}

fn parse(text: &str) -> Vec<Stage> {
    let joined = text.replace("\\\n", " ");
    let mut stages: Vec<Stage> = Vec::new();
    for line in
        joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (instruction, rest) = line.split_once(' ').unwrap();
        if instruction == "FROM" {
            // `AS name` is for people; stages are in order.
            let image = rest.split_whitespace().next().unwrap().to_owned();
            stages.push(Stage { image, steps: Vec::new() });
        } else {
            stages.last_mut().unwrap().steps.push(step(instruction, rest));
        }
    }
    stages
}

fn step(instruction: &str, rest: &str) -> Step {
    let words = |text: &str| serde_json::from_str(text).unwrap();
    match instruction {
        "RUN" => Step::Run(rest.to_owned()),
        "COPY" => {
            let (from, rest) = match rest.strip_prefix("--from=") {
                Some(rest) => rest.split_once(' ').map(|(from, rest)| (Some(from), rest)).unwrap(),
                None => (None, rest),
            };
            let (source, destination) = rest.split_once(' ').unwrap();
            Step::Copy {
                from: from.map(str::to_owned),
                source: source.to_owned(),
                destination: destination.to_owned(),
            }
        }
        "WORKDIR" => Step::Workdir(rest.to_owned()),
        "ENV" => {
            let (name, value) = rest.split_once('=').unwrap();
            Step::Env(name.to_owned(), value.to_owned())
        }
        "USER" => Step::User(rest.to_owned()),
        "VOLUME" => Step::Volume(rest.to_owned()),
        "ENTRYPOINT" => Step::Entrypoint(words(rest)),
        "CMD" => Step::Cmd(words(rest)),
        other => panic!("teach this test what `{other}` does"),
    }
}

/// Whether the build is sent this file, by the rules of `.dockerignore`: the last line that matches
/// the path or a folder above it decides.
pub(crate) fn is_sent(rules: &str, path: &str) -> bool {
    let mut sent = true;
    for rule in
        rules.lines().map(str::trim).filter(|rule| !rule.is_empty() && !rule.starts_with('#'))
    {
        let (pattern, sends) = rule.strip_prefix('!').map_or((rule, false), |rest| (rest, true));
        let parts: Vec<&str> = path.split('/').collect();
        if (1..=parts.len()).any(|depth| matches(pattern, &parts[..depth])) {
            sent = sends;
        }
    }
    sent
}

fn matches(pattern: &str, parts: &[&str]) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    pattern.len() == parts.len()
        && pattern.iter().zip(parts).all(|(pattern, part)| match pattern.split_once('*') {
            Some((head, tail)) => {
                part.len() >= head.len() + tail.len()
                    && part.starts_with(head)
                    && part.ends_with(tail)
            }
            None => pattern == part,
        })
}

#[test]
fn the_build_is_sent_no_credentials_and_no_state() {
    let rules = project::text(".dockerignore");
    for kept in [
        "Cargo.toml",
        "Cargo.lock",
        "crates/sync-core/src/lib.rs",
        "config/sync_mappings.example.yml",
    ] {
        assert!(is_sent(&rules, kept), "{kept}");
    }
    for private in
        [".env", "sync_state.db", "config/sync_mappings.yml", ".git/config", "target/debug/x"]
    {
        assert!(!is_sent(&rules, private), "{private}");
    }
}

#[test]
fn the_image_is_small_pinned_and_not_root() {
    let stages = stages();
    let [build, image] = stages.as_slice() else { panic!("two stages, not {}", stages.len()) };
    let pinned = |image: &str| image.split_once(':').is_some_and(|(_, tag)| tag != "latest");
    assert!(pinned(&build.image) && pinned(&image.image));
    // The compiler's image is the workspace's minimum version.
    let version = project::text("Cargo.toml");
    let version = version.split("rust-version = \"").nth(1).unwrap().split('"').next().unwrap();
    assert!(build.image.starts_with(&format!("rust:{version}-")), "{}", build.image);

    let position = |wanted: fn(&Step) -> bool| image.steps.iter().rposition(wanted).unwrap();
    let user = position(|step| matches!(step, Step::User(_)));
    assert!(
        matches!(&image.steps[user], Step::User(user) if user != "root" && !user.starts_with("0:"))
    );
    // Nothing is installed any more once the rights are given up.
    assert!(position(|step| matches!(step, Step::Run(_) | Step::Copy { .. })) < user);

    let mut state = None;
    let mut volume = None;
    for step in &image.steps {
        if let Step::Env(name, value) = step
            && name == "STATE_DB_PATH"
        {
            state = Some(value.as_str());
        }
        if let Step::Volume(path) = step {
            volume = Some(path.as_str());
        }
    }
    assert_eq!(state.unwrap().rsplit_once('/').unwrap().0, volume.unwrap());
}
