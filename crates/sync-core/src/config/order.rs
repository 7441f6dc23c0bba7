//! In which order syncs take their turns: rows that others point to go first, so that links are known when they are
//! wanted.

use super::model::SyncDefinition;

/// Who waits for whom. Positions are those of the list it was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// For each sync, the others whose turn comes first. There is no circle.
    pub before: Vec<Vec<usize>>,
    /// Syncs that point to one which comes after them, as tables that point to each other do: they are due once more
    /// when all others have had their turn.
    pub again: Vec<usize>,
}

impl Order {
    /// The order of these syncs. Links to syncs that are not among them, and to themselves, decide nothing.
    pub fn of(syncs: &[&SyncDefinition]) -> Self {
        let mut search = Search {
            syncs,
            standing: vec![Standing::New; syncs.len()],
            order: Self { before: vec![Vec::new(); syncs.len()], again: Vec::new() },
        };
        for place in 0..syncs.len() {
            search.visit(place);
        }
        search.order.again.sort_unstable();
        search.order.again.dedup();
        search.order
    }

    /// Every sync once, each after those whose turn comes first.
    pub fn turns(&self) -> Vec<usize> {
        let mut turns: Vec<usize> = Vec::with_capacity(self.before.len());
        while turns.len() < self.before.len() {
            let had = turns.len();
            for (place, before) in self.before.iter().enumerate() {
                if !turns.contains(&place) && before.iter().all(|other| turns.contains(other)) {
                    turns.push(place);
                }
            }
            // There is no circle, so that somebody always has a turn.
            if turns.len() == had {
                break;
            }
        }
        turns
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    New,
    Open,
    Done,
}

struct Search<'a> {
    syncs: &'a [&'a SyncDefinition],
    standing: Vec<Standing>,
    order: Order,
}

impl Search<'_> {
    fn visit(&mut self, place: usize) {
        if self.standing.get(place) != Some(&Standing::New) {
            return;
        }
        self.set(place, Standing::Open);
        for parent in self.parents(place) {
            if self.standing.get(parent) == Some(&Standing::Open) {
                self.order.again.push(place);
            } else {
                self.visit(parent);
                if let Some(before) = self.order.before.get_mut(place) {
                    before.push(parent);
                }
            }
        }
        self.set(place, Standing::Done);
    }

    fn set(&mut self, place: usize, standing: Standing) {
        if let Some(known) = self.standing.get_mut(place) {
            *known = standing;
        }
    }

    /// The other syncs that a sync's links lead to, each once.
    fn parents(&self, place: usize) -> Vec<usize> {
        let links = self
            .syncs
            .get(place)
            .iter()
            .flat_map(|sync| &sync.destination.links)
            .collect::<Vec<_>>();
        (0..self.syncs.len())
            .filter(|other| *other != place)
            .filter(|other| {
                self.syncs
                    .get(*other)
                    .is_some_and(|sync| links.iter().any(|link| link.parent == sync.name))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn check(links: &[(&str, &[&str])], before: &[&[usize]], again: &[usize], turns: &[usize]) {
        let mut text = String::from("syncs:\n");
        for (place, (name, parents)) in links.iter().enumerate() {
            text += &format!(
                "  - name: {name}\n    source: {{query: SELECT 1 AS id, primary_key: id}}\n    destination:\n      \
                 table_id: \"65000000000000000000000{place}\"\n      external_id_field: sx\n      field_mappings: {{id: stitle}}\n"
            );
            if !parents.is_empty() {
                text += "      links:\n";
            }
            for parent in *parents {
                text += &format!("        s{parent}: {{sync: {parent}, from: {parent}_id}}\n");
            }
        }
        let config = parse(&text, &|_| None).config.unwrap();
        let order = Order::of(&config.syncs.iter().collect::<Vec<_>>());
        assert_eq!(order.before, before, "{links:?}");
        assert_eq!(order.again, again, "{links:?}");
        assert_eq!(order.turns(), turns, "{links:?}");
    }

    #[test]
    fn parents_go_first_and_circles_are_cut_once() {
        check(&[("orders", &["customers"]), ("customers", &[])], &[&[1], &[]], &[], &[1, 0]);
        check(&[("people", &["people"])], &[&[]], &[], &[0]);
        check(&[("a", &["b"]), ("b", &["a"])], &[&[1], &[]], &[1], &[1, 0]);
        check(
            &[("a", &["b"]), ("b", &["c"]), ("c", &["a", "b"])],
            &[&[1], &[2], &[]],
            &[2],
            &[2, 1, 0],
        );
        check(
            &[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])],
            &[&[1, 2], &[2], &[]],
            &[],
            &[2, 1, 0],
        );
    }
}
