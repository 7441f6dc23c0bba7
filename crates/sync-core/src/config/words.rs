//! Lists of words in messages.

/// "`a`, `b` and `c`".
pub(super) fn list(words: &[&str]) -> String {
    joined(words, "and")
}

/// "`a`, `b` or `c`".
pub(super) fn choice(words: &[&str]) -> String {
    joined(words, "or")
}

fn joined(words: &[&str], last: &str) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [single] => single.clone(),
        [others @ .., end] => format!("{} {last} {end}", others.join(", ")),
    }
}
