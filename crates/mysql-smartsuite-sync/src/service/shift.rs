//! A shift: the serving of one configuration, from the first turn of its syncs until all have ended.

use std::{collections::BTreeMap, sync::Arc};

use sync_core::{
    config::model::{CaptureMode, SyncDefinition},
    schedule::Schedule,
};
use sync_engine::run::RunOptions;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    keeper::{Keeper, Rhythm, Start},
    past,
    post::{Legacy, Post},
};
use crate::{failure::Failure, precedence::Precedence, turn::Turn, wire::Wire};

/// What a shift is to serve.
pub(crate) struct ShiftPlan {
    /// The ports.
    pub(crate) wire: Wire,
    /// Every enabled sync with its times.
    pub(crate) timetable: Vec<(SyncDefinition, Schedule)>,
    /// Whether every sync has a turn at once.
    pub(crate) immediately: bool,
}

/// A shift under way.
pub(crate) struct Shift {
    /// The ports.
    pub(crate) wire: Arc<Wire>,
    /// Where the keepers of its syncs are reached, by name.
    pub(crate) posts: BTreeMap<String, Arc<Post>>,
    ending: CancellationToken,
    keepers: JoinSet<()>,
}

impl Shift {
    /// Begins to keep every sync of the plan, until `ending` is cancelled or [`Shift::end`] is called. What the shift
    /// before left is done by the sync of the same name.
    pub(crate) fn start(
        plan: ShiftPlan,
        mut legacies: BTreeMap<String, Legacy>,
        ending: &CancellationToken,
    ) -> Self {
        let ShiftPlan { wire, timetable, immediately } = plan;
        let (wire, ending) = (Arc::new(wire), ending.child_token());
        let start = Start { at: wire.clock.now(), immediately };
        let syncs: Vec<_> = timetable.iter().map(|(sync, _)| sync).collect();
        let precedence = Precedence::of(&syncs);
        let mut shift = Self { wire, posts: BTreeMap::new(), ending, keepers: JoinSet::new() };
        for (place, (definition, schedule)) in timetable.into_iter().enumerate() {
            let legacy = legacies.remove(&definition.name).unwrap_or_default();
            shift.keep(definition, schedule, legacy, (&precedence, place), start);
        }
        for name in legacies.keys() {
            tracing::warn!(
                sync.name = name,
                "what was asked of it is not done: it is served no more"
            );
        }
        shift
    }

    fn keep(
        &mut self,
        definition: SyncDefinition,
        schedule: Schedule,
        legacy: Legacy,
        (precedence, place): (&Arc<Precedence>, usize),
        start: Start,
    ) {
        let rhythm = match definition.capture {
            CaptureMode::Binlog => Rhythm::Always,
            CaptureMode::Query | CaptureMode::Table => Rhythm::Times(schedule),
        };
        // Who looks is told so from the start; its keeper waits for a state that does not answer.
        let is_paused = past::is_paused(&self.wire.state_path, &definition.name).unwrap_or(false);
        let follows = matches!(rhythm, Rhythm::Always);
        let post = Arc::new(Post::new(is_paused, follows, legacy));
        self.posts.insert(definition.name.clone(), Arc::clone(&post));
        let turn = Turn {
            wire: Arc::clone(&self.wire),
            definition,
            options: RunOptions { serves: true, ..RunOptions::default() },
            waits: false,
            busy_fails: false,
        };
        let keeper = Keeper { turn, rhythm, post, precedence: Arc::clone(precedence), place };
        self.keepers.spawn(keeper.keep(start, self.ending.clone()));
    }

    /// Waits until a keeper has ended; `false`: none is left.
    ///
    /// # Errors
    /// A keeper ended in a fault of this program.
    pub(crate) async fn next_ended(&mut self) -> Result<bool, Failure> {
        match self.keepers.join_next().await {
            Some(joined) => joined.map(|()| true).map_err(fault),
            None => Ok(false),
        }
    }

    /// Asks every turn to end, and waits until all have.
    ///
    /// # Errors
    /// A keeper ended in a fault of this program.
    pub(crate) async fn end(&mut self) -> Result<(), Failure> {
        self.ending.cancel();
        while self.next_ended().await? {}
        Ok(())
    }

    /// What was asked of its syncs and not taken up, by name. Nothing more can be asked of them.
    pub(crate) fn close(&self) -> BTreeMap<String, Legacy> {
        let close = |(name, post): (&String, &Arc<Post>)| (name.clone(), post.close());
        self.posts.iter().map(close).filter(|(_, legacy)| !legacy.is_empty()).collect()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn fault(error: tokio::task::JoinError) -> Failure {
    Failure::world(
        format!("a sync ended in a fault of this program: {error}"),
        "please report this",
    )
}
