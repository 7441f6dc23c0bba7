//! Links that wait for the row they lead to.

use sync_core::{key::Key, slug::Slug, state::StateError};

use super::StateReader;
use crate::column::{KeyColumn, count};

/// Keys shown as a sample.
const SAMPLE: i64 = 5;

/// What one link field lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LackingLinks {
    /// The field.
    pub slug: Slug,
    /// The sync whose records are linked to.
    pub parent: String,
    /// Links that are lacking.
    pub links: u64,
    /// Some keys of the other sync that have no record, or whose record SmartSuite did not take as a link.
    pub keys: Vec<Key>,
}

/// Of a field's wishes those without a record, `f` being the field.
const LACKING: &str = "
    FROM link_wishes AS w JOIN link_fields AS f ON f.id = w.field_id JOIN syncs AS p ON p.id = f.parent_id
    WHERE f.id = ?1 AND (w.withheld OR NOT EXISTS (SELECT 1 FROM links AS l WHERE l.sync_id = p.id
      AND l.destination_id = p.destination_id AND l.key = w.parent_key AND l.standing IN (0, 1)))";

impl StateReader {
    /// The link fields of a sync in which links are lacking. Looks at every link of the sync.
    pub fn lacking_links(&self, name: &str) -> Result<Vec<LackingLinks>, StateError> {
        let fields: Vec<(i64, String, String)> = self.all(
            "SELECT f.id, f.slug, p.name FROM link_fields AS f JOIN syncs AS s ON s.id = f.sync_id
               JOIN syncs AS p ON p.id = f.parent_id WHERE s.name = ? ORDER BY f.slug",
            [name],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let mut lacking = Vec::new();
        for (field, slug, parent) in fields {
            let counted =
                self.first(&format!("SELECT count(*) {LACKING}"), [field], |row| count(row, 0))?;
            let links = counted.unwrap_or(0);
            if links == 0 {
                continue;
            }
            let keys = self.all(
                &format!(
                    "SELECT DISTINCT w.parent_key {LACKING} ORDER BY w.parent_key LIMIT {SAMPLE}"
                ),
                [field],
                |row| Ok(row.get::<_, KeyColumn>(0)?.0),
            )?;
            lacking.push(LackingLinks { slug: Slug::from(slug), parent, links, keys });
        }
        Ok(lacking)
    }
}
