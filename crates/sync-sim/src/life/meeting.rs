//! Moments that are waited for: processes go on until something is in a state of the protocol, and then trouble strikes.

use smartsuite_emulator::Fault;
use sync_core::mutation;

use super::Life;
use crate::{
    oracle::Wrong,
    plan::{Blow, Launch},
};

impl Life {
    /// Lets processes go on until this is so, and strikes then.
    pub(super) async fn meet(
        &mut self,
        what: &str,
        blow: Blow,
        is_so: impl Fn(&Self) -> bool,
    ) -> Result<(), Wrong> {
        while !is_so(self) {
            if self.cast.actors.is_empty() {
                return Ok(());
            }
            let next = self.cast.next_to_go_on();
            let turn = self.next_turn(next).await;
            self.hear()?;
            self.came(turn).await?;
        }
        self.tell(&format!("{what} met"));
        self.blow(blow).await
    }

    async fn blow(&mut self, blow: Blow) -> Result<(), Wrong> {
        let somebody_lives = !self.cast.actors.is_empty();
        match blow {
            Blow::Kill if somebody_lives => self.kill(0).await,
            Blow::PowerCut(choice) if somebody_lives => self.lose_power(choice).await,
            Blow::Stop(seconds) if somebody_lives => self.stop(0, seconds),
            Blow::Kill | Blow::PowerCut(_) | Blow::Stop(_) => {}
            Blow::Rival => self.start(Launch::ORDINARY)?,
            Blow::Restart => self.restart_database(),
            Blow::Unreachable => self.world.database.break_reads(1),
            Blow::PurgedLog => self.purge_log(),
            Blow::UnnamedLog => self.unname_log(),
            Blow::FullDisk => mutation::fill_disk(),
            Blow::BlindLookUp => self.world.network.blind_look_ups(1),
            Blow::Call { fault, after } => {
                let mut fault = Fault::new(fault);
                if after {
                    fault = fault.after_the_effect();
                }
                self.world.network.emulator().add_fault(fault);
            }
        }
        Ok(())
    }
}
