//! Names that mean the same: `customer_name`, `CustomerName` and "Customer name".

/// Letters and digits in lower case.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// [`plain`] without the plural.
pub(crate) fn singular(name: &str) -> String {
    let plain = plain(name);
    if let Some(stem) = plain.strip_suffix("ies") {
        return format!("{stem}y");
    }
    if plain.ends_with("ss") {
        return plain;
    }
    plain.strip_suffix('s').map_or(plain.clone(), str::to_owned)
}

/// A label made of a column's name: `credit_limit` becomes `Credit limit`.
pub(crate) fn label(column: &str) -> String {
    let words = column.replace(['_', '-'], " ");
    let mut characters = words.trim().chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => column.to_owned(),
    }
}

/// A slug for something that is to be made: the same each time for the same parts, and of the ten characters that
/// SmartSuite's own slugs have.
pub(crate) fn slug(parts: &[&str]) -> String {
    let hash = blake3::hash(parts.join("\0").as_bytes());
    let digits: String = hash.to_hex().chars().take(9).collect();
    format!("s{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_the_same_are_equal() {
        assert_eq!(plain("Customer Name"), plain("customer_name"));
        assert_eq!(singular("order_items"), singular("OrderItem"));
        assert_eq!(singular("categories"), "category");
        assert_eq!(singular("address"), "address");
        assert_eq!(label("credit_limit"), "Credit limit");
    }

    #[test]
    fn a_slug_is_the_same_each_time() {
        let made = slug(&["65c1", "customers", "email"]);
        assert_eq!(made, slug(&["65c1", "customers", "email"]));
        assert_ne!(made, slug(&["65c1", "customers", "phone"]));
        assert_eq!(made.len(), 10);
    }
}
