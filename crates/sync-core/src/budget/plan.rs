//! SmartSuite's plans, and what each allows as far as it is documented (`smartsuite-api.md` 2.3). The numbers move: the
//! mapping file may say other ones where they are used.

/// A workspace's plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// 100 calls a month.
    Free,
    /// 5,000 calls a month.
    Team,
    /// 50,000 calls a month.
    Professional,
    /// 250,000 calls a month.
    Enterprise,
}

impl Plan {
    /// All of them, the smallest first.
    pub const ALL: [Self; 4] = [Self::Free, Self::Team, Self::Professional, Self::Enterprise];

    /// Its name in the mapping file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Team => "team",
            Self::Professional => "professional",
            Self::Enterprise => "enterprise",
        }
    }

    /// Calls that it includes each month.
    pub fn monthly_calls(self) -> u32 {
        match self {
            Self::Free => 100,
            Self::Team => 5_000,
            Self::Professional => 50_000,
            Self::Enterprise => 250_000,
        }
    }

    /// Whether SmartSuite answers at all beyond them.
    pub fn has_overage(self) -> bool {
        self != Self::Free
    }

    /// Records that the tables of a solution may hold together.
    pub fn records_a_solution(self) -> u64 {
        match self {
            Self::Free => 1_000,
            Self::Team => 5_000,
            Self::Professional => 100_000,
            Self::Enterprise => 400_000,
        }
    }

    /// Records that a table may hold.
    pub fn records_a_table(self) -> u64 {
        match self {
            Self::Free => 1_000,
            Self::Team => 5_000,
            Self::Professional => 50_000,
            Self::Enterprise => 125_000,
        }
    }
}
