//! What the account may do, from the words of `SHOW GRANTS`.

/// The rights of an account, as far as its grants say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    grants: Vec<Grant>,
    /// Whether rights come through a role, whose own grants are not shown.
    pub has_roles: bool,
}

/// One line of `SHOW GRANTS`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Grant {
    /// In capitals.
    privileges: Vec<String>,
    /// `*` or the pattern of a database's name.
    database: String,
    /// `*` or a table.
    table: String,
}

/// Rights to change what is there; a sync needs none of them.
const WRITING: [&str; 10] = [
    "ALL PRIVILEGES",
    "INSERT",
    "UPDATE",
    "DELETE",
    "DROP",
    "ALTER",
    "CREATE",
    "TRIGGER",
    "SUPER",
    "GRANT OPTION",
];

impl Rights {
    /// Of the lines of `SHOW GRANTS`.
    pub(crate) fn of(lines: impl IntoIterator<Item = String>) -> Self {
        let mut rights = Self::default();
        for line in lines {
            match grant(&line) {
                Some(grant) => rights.grants.push(grant),
                None => rights.has_roles |= line.starts_with("GRANT "),
            }
        }
        rights
    }

    /// Whether the account has a right over the whole server, such as PROCESS.
    pub fn everywhere(&self, privilege: &str) -> bool {
        self.grants
            .iter()
            .any(|grant| grant.database == "*" && grant.table == "*" && grant.gives(privilege))
    }

    /// Whether the account has a right in a database, or in some table of it.
    pub fn within(&self, database: &str, privilege: &str) -> bool {
        self.grants.iter().any(|grant| matches(&grant.database, database) && grant.gives(privilege))
    }

    /// Rights in a database that a sync has no use for.
    pub fn needless(&self, database: &str) -> Vec<&'static str> {
        let has = |privilege: &&str| {
            self.grants.iter().any(|grant| {
                matches(&grant.database, database)
                    && grant.privileges.iter().any(|one| one == privilege)
            })
        };
        WRITING.iter().filter(|privilege| has(privilege)).copied().collect()
    }
}

impl Grant {
    fn gives(&self, privilege: &str) -> bool {
        self.privileges.iter().any(|one| one == privilege || one == "ALL PRIVILEGES")
    }
}

/// `GRANT SELECT, PROCESS ON *.* TO ...`; `None` for roles and anything else.
fn grant(line: &str) -> Option<Grant> {
    let rest = line.strip_prefix("GRANT ")?;
    let (privileges, rest) = rest.split_once(" ON ")?;
    let (scope, _) = rest.split_once(" TO ")?;
    let (database, table) = scope.split_once('.')?;
    // Column lists stand in parentheses: `SELECT (a, b)`.
    let mut depth = 0_u32;
    let plain: String = privileges
        .chars()
        .filter(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect();
    let privileges = plain.split(',').map(|one| one.trim().to_uppercase()).collect();
    let bare = |name: &str| name.trim().trim_matches('`').replace("``", "`");
    Some(Grant { privileges, database: bare(database), table: bare(table) })
}

/// Whether a database has a name of this pattern: `%` and `_` as in LIKE, `\` before one that is meant.
fn matches(pattern: &str, name: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let mut tokens = Vec::new();
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        tokens.push(match c {
            '\\' => (characters.next().unwrap_or('\\'), false),
            '%' | '_' => (c, true),
            other => (other, false),
        });
    }
    let name: Vec<char> = name.chars().collect();
    // Places in the name that the tokens so far may have led to.
    let mut reached = vec![false; name.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for (c, is_wild) in tokens {
        let mut next = vec![false; name.len() + 1];
        for (place, _) in reached.iter().enumerate().filter(|(_, is)| **is) {
            if is_wild && c == '%' {
                next.iter_mut().skip(place).for_each(|is| *is = true);
            } else if name.get(place).is_some_and(|found| is_wild || *found == c)
                && let Some(is) = next.get_mut(place + 1)
            {
                *is = true;
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(lines: &[&str]) -> Rights {
        Rights::of(lines.iter().map(|line| (*line).to_owned()))
    }

    #[test]
    fn grants_are_read_as_both_servers_write_them() {
        let maria = rights(&[
            "GRANT PROCESS ON *.* TO `reader`@`%` IDENTIFIED BY PASSWORD '*0'",
            "GRANT SELECT ON `shop`.* TO `reader`@`%`",
        ]);
        assert!(maria.everywhere("PROCESS") && maria.within("shop", "SELECT"));
        assert!(!maria.within("other", "SELECT") && !maria.everywhere("SELECT"));
        assert_eq!(maria.needless("shop"), [""; 0]);
        let mysql = rights(&[
            "GRANT USAGE ON *.* TO `reader`@`%`",
            "GRANT SELECT (`a`, `b`), UPDATE (`a`) ON `shop`.`customers` TO `reader`@`%`",
            "GRANT `role`@`%` TO `reader`@`%`",
        ]);
        assert!(mysql.within("shop", "SELECT") && mysql.has_roles);
        assert_eq!(mysql.needless("shop"), ["UPDATE"]);
        assert!(rights(&["GRANT ALL PRIVILEGES ON *.* TO `root`@`%`"]).everywhere("PROCESS"));
    }

    #[test]
    fn names_of_databases_are_patterns() {
        for (pattern, name, expected) in [
            ("shop", "shop", true),
            ("shop\\_a", "shop_a", true),
            ("shop\\_a", "shopxa", false),
            ("shop_a", "shopxa", true),
            ("shop%", "shop", true),
            ("shop%", "shop_b", true),
            ("%p", "shop", true),
            ("shop", "shops", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
