//! What keeps the keys of effects that are applied once: one store per service, which all its replicas share.
//!
//! The key of an effect is its trace and its number in the plan. So it is the same for each attempt of a call, for each
//! delivery of a copy and for whatever else brings a trace to the same step again.

use std::collections::BTreeSet;

use hopscope_scenario::model::Apply;

/// The keys of the effects that a service applied once.
#[derive(Clone, Debug, Default)]
pub struct EffectStore {
    applied: BTreeSet<(u64, u32)>,
}

impl EffectStore {
    /// A body of this trace has come to the effect of this number: whether it is to be applied now. One that is applied once is
    /// so the first time; its key is then kept.
    pub fn comes(&mut self, apply: Apply, trace: u64, effect: u32) -> bool {
        match apply {
            Apply::Once => self.applied.insert((trace, effect)),
            Apply::EveryTime => true,
        }
    }

    /// How many keys it keeps.
    #[must_use]
    pub fn len(&self) -> usize {
        self.applied.len()
    }

    /// Whether it keeps none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.applied.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_is_once_per_trace_and_step() {
        let mut store = EffectStore::default();
        assert!(store.comes(Apply::Once, 7, 0));
        assert!(!store.comes(Apply::Once, 7, 0));
        assert!(store.comes(Apply::Once, 7, 1), "another step has another key");
        assert!(store.comes(Apply::Once, 8, 0), "another trace has another key");
        assert_eq!(store.len(), 3);
    }

    #[test]
    fn every_time_keeps_no_key() {
        let mut store = EffectStore::default();
        assert!(store.comes(Apply::EveryTime, 7, 0) && store.comes(Apply::EveryTime, 7, 0));
        assert!(store.is_empty());
    }
}
