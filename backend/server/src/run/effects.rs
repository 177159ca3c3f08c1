//! The effects of one service: what they are, and the store of keys that all its replicas share, which outlives a crash of them.

use std::sync::{Arc, Mutex, PoisonError};

use hopscope_record::kind::EffectMark;
use hopscope_record::{Kind, MessageId};
use hopscope_rules::effect::EffectStore;
use hopscope_scenario::plan::{Plan, PlanEffect};

use crate::record::Recorder;
use crate::transport::Identity;

/// What the replicas of one service change, and which keys they have applied.
#[derive(Debug)]
pub(super) struct Effects {
    /// Those of the whole plan: an effect's number is its position.
    rows: Arc<[PlanEffect]>,
    store: Mutex<EffectStore>,
}

impl Effects {
    /// Those of a service of this plan, of which it has applied none.
    pub(super) fn of(plan: &Plan) -> Self {
        Self { rows: plan.effects.clone().into(), store: Mutex::default() }
    }

    /// A body has come to an effect: says whether it is applied, under the store's lock, so that what is stamped has the order
    /// of what happened.
    pub(super) fn come(&self, effect: u32, recorder: &Recorder, request: Identity) {
        let Some(row) = self.rows.get(effect as usize) else { return };
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = EffectMark { effect, repeated: !store.comes(row.apply, request.trace.0, effect) };
        let (a, b) = (mark.to_value(), row.amount.cast_unsigned());
        recorder.record(Kind::EFFECT, request.trace, request.message, MessageId::NONE, a, b);
    }
}
