//! Field types that are not written, each with its reason.

/// Why fields of a type are not written, and what to do instead.
pub(super) fn reason(type_name: &str) -> (&'static str, &'static str) {
    match type_name {
        "filefield" => (
            "SmartSuite shows a copy of its own under another name, so that nobody could tell whether it is the same \
             file",
            "map the file's address to a link field",
        ),
        "checklistfield" => (
            "writing one replaces it whole, with the ticks that people set",
            "map the column to a text area, or its parts to yes/no fields",
        ),
        "signaturefield" => ("a signature is a person's", "map the column to a text field"),
        "timetrackingfield" => {
            ("its logs belong to the people who work", "map the length of time to a duration field")
        }
        "subitemsfield" => (
            "how its items are told apart is not documented, so that they would be made again and again",
            "sync the items into a table of their own and link them",
        ),
        "dependencyfield" => (
            "how a dependency is written is not documented",
            "map the column to a linked-record field",
        ),
        _ => (
            "how values of this type are written is not known",
            "remove the mapping, or map the column to a field of another type",
        ),
    }
}
