//! The effects of one service: what they are, and the store of keys that all its replicas share, which outlives a crash of them.
//!
//! The store is the server's. A replica that is a process asks it, as one would ask a database.

use std::sync::{Arc, Mutex, PoisonError};

use hopscope_record::kind::EffectMark;
use hopscope_record::{Kind, MessageId};
use hopscope_rules::effect::EffectStore;
use hopscope_scenario::plan::{Plan, PlanEffect};

use super::node::{Ask, Asker};
use crate::record::Recorder;
use crate::transport::Identity;

/// What the replicas of one service change, and which keys they have applied.
#[derive(Debug)]
pub(super) struct Effects(Kept);

#[derive(Debug)]
enum Kept {
    /// In this process.
    Here {
        /// Those of the whole plan: an effect's number is its position.
        rows: Arc<[PlanEffect]>,
        store: Mutex<EffectStore>,
    },
    /// In the server's.
    Away(Asker),
}

impl Effects {
    /// Those of a service of this plan, of which it has applied none.
    pub(super) fn of(plan: &Plan) -> Self {
        Self(Kept::Here { rows: plan.effects.clone().into(), store: Mutex::default() })
    }

    /// Those that the server keeps.
    pub(super) const fn away(asker: Asker) -> Self {
        Self(Kept::Away(asker))
    }

    /// A body has come to an effect; resolves when it is known to the store.
    pub(super) async fn come(&self, effect: u32, recorder: &Recorder, request: Identity) {
        match &self.0 {
            Kept::Here { .. } => self.apply(effect, recorder, request),
            Kept::Away(asker) => {
                let (link, trace, message) = (recorder.link().0, request.trace.0, request.message.0);
                if let Err(error) = asker.ask(Ask::Effect { effect, link, trace, message }).await {
                    tracing::debug!("the store of effects does not answer: {error}");
                }
            }
        }
    }

    /// Where the store is: says whether an effect is applied, under the store's lock, so that what is stamped has the order
    /// of what happened.
    pub(super) fn apply(&self, effect: u32, recorder: &Recorder, request: Identity) {
        let Kept::Here { rows, store } = &self.0 else { return };
        let Some(row) = rows.get(effect as usize) else { return };
        let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = EffectMark { effect, repeated: !store.comes(row.apply, request.trace.0, effect) };
        let (a, b) = (mark.to_value(), row.amount.cast_unsigned());
        recorder.record(Kind::EFFECT, request.trace, request.message, MessageId::NONE, a, b);
    }
}
