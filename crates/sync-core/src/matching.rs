//! Matching rows with records that carry no key, by the values of some fields (`match_on`).

use crate::{
    draft::Fields,
    field_value::{FieldValue, put_text},
    record::SeenRecord,
    slug::Slug,
    table::FieldKind,
};

/// Sixteen bytes that say whether a row and a record hold the same values in the fields that are matched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MatchDigest(pub [u8; 16]);

/// Types by whose values records can be told apart: what is read of them is what was written.
pub const MATCHABLE: &[FieldKind] = &[
    FieldKind::Text,
    FieldKind::TextArea,
    FieldKind::Title,
    FieldKind::Number,
    FieldKind::Currency,
    FieldKind::Email,
    FieldKind::Phone,
    FieldKind::Link,
    FieldKind::IpAddress,
    FieldKind::SingleSelect,
    FieldKind::Status,
    FieldKind::Date,
];

/// The fields that are matched by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchFields(Vec<(Slug, FieldKind)>);

impl MatchFields {
    /// By these fields, all of them together; at least one.
    pub fn new(fields: Vec<(Slug, FieldKind)>) -> Self {
        Self(fields)
    }

    /// Their slugs, to tell them from others.
    pub fn name(&self) -> String {
        let slugs: Vec<&str> = self.0.iter().map(|(slug, _)| slug.as_str()).collect();
        slugs.join(" ")
    }

    /// Of a draft; `None` where one of the fields is empty: nothing matches nothing.
    pub fn of_draft(&self, fields: &Fields) -> Option<MatchDigest> {
        self.digest(|slug| fields.get(slug))
    }

    /// Of a record, as it was read.
    pub fn of_record(&self, record: &SeenRecord) -> Option<MatchDigest> {
        self.digest(|slug| {
            record.fields.iter().find(|(own, _)| own == slug).map(|(_, value)| value)
        })
    }

    fn digest<'f>(&self, get: impl Fn(&Slug) -> Option<&'f FieldValue>) -> Option<MatchDigest> {
        let mut bytes = Vec::new();
        for (slug, kind) in &self.0 {
            put_text(&mut bytes, slug);
            match (kind, get(slug)?) {
                (_, FieldValue::Empty) => return None,
                // Mail goes to the same box however the address is written.
                (FieldKind::Email, FieldValue::List(addresses)) => {
                    for address in addresses {
                        put_text(&mut bytes, &address.to_lowercase());
                    }
                }
                (_, value) => value.canonical_bytes(&mut bytes),
            }
        }
        let mut short = [0; 16];
        short.copy_from_slice(blake3::hash(&bytes).as_bytes().split_at(16).0);
        Some(MatchDigest(short))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(mail: &[&str], name: &str) -> Fields {
        let mail = FieldValue::list(mail.iter().map(|&mail| mail.to_owned()).collect());
        Fields::new(vec![("mail".into(), mail), ("name".into(), FieldValue::text(name))])
    }

    fn by(slugs: &[&str]) -> MatchFields {
        let kind = |slug: &str| if slug == "mail" { FieldKind::Email } else { FieldKind::Text };
        MatchFields::new(slugs.iter().map(|&slug| (slug.into(), kind(slug))).collect())
    }

    #[test]
    fn equal_values_match_and_addresses_do_in_any_case() {
        let by_mail = by(&["mail"]);
        let digest = by_mail.of_draft(&fields(&["Ada@Example.com"], "Ada"));
        assert!(digest.is_some());
        assert_eq!(digest, by_mail.of_draft(&fields(&["ada@example.COM"], "Grace")));
        assert_ne!(digest, by_mail.of_draft(&fields(&["ada@example.org"], "Ada")));
        let by_both = by(&["mail", "name"]);
        let digest = by_both.of_draft(&fields(&["ada@example.com"], "Ada"));
        assert_ne!(digest, by_both.of_draft(&fields(&["ada@example.com"], "ADA")));
    }

    #[test]
    fn nothing_matches_nothing() {
        assert_eq!(by(&["mail"]).of_draft(&fields(&[], "Ada")), None);
        assert_eq!(by(&["mail", "name"]).of_draft(&fields(&["ada@example.com"], "")), None);
        assert_eq!(by(&["other"]).of_draft(&fields(&[], "")), None);
    }
}
