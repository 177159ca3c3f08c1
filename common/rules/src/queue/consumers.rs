//! Who takes turns at a queue, and how much each may hold.

/// A consumer of one queue; never given out again by the same queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConsumerId(u64);

/// How a consumer takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConsumerSettings {
    /// Most unacked deliveries at a time; 0 is no limit.
    pub prefetch: u32,
    /// Whether its deliveries count as acked at once; then `prefetch` does not hold.
    pub automatic: bool,
}

#[derive(Debug)]
struct Consumer {
    id: ConsumerId,
    settings: ConsumerSettings,
    unacked: u32,
}

impl Consumer {
    fn has_credit(&self) -> bool {
        self.settings.automatic || self.settings.prefetch == 0 || self.unacked < self.settings.prefetch
    }
}

/// The round.
#[derive(Default, Debug)]
pub(super) struct Consumers {
    round: Vec<Consumer>,
    /// Index of whose turn it is; beyond the end means the first.
    turn: usize,
    minted: u64,
}

impl Consumers {
    pub(super) fn len(&self) -> usize {
        self.round.len()
    }

    pub(super) fn add(&mut self, settings: ConsumerSettings) -> ConsumerId {
        self.minted += 1;
        let id = ConsumerId(self.minted);
        // Just behind whose turn it is: everyone else comes first.
        let at = self.turn.min(self.round.len());
        self.round.insert(at, Consumer { id, settings, unacked: 0 });
        self.turn = at + 1;
        id
    }

    pub(super) fn remove(&mut self, id: ConsumerId) -> bool {
        let Some(at) = self.find(id) else { return false };
        self.round.remove(at);
        if at < self.turn {
            self.turn -= 1;
        }
        true
    }

    pub(super) fn settings(&self, id: ConsumerId) -> Option<ConsumerSettings> {
        self.find(id).and_then(|at| self.round.get(at)).map(|consumer| consumer.settings)
    }

    /// The next in the round with credit that `may`.
    pub(super) fn next(&self, mut may: impl FnMut(ConsumerId) -> bool) -> Option<ConsumerId> {
        let turn = self.turn.min(self.round.len());
        let (done, coming) = self.round.split_at(turn);
        coming.iter().chain(done).find(|consumer| consumer.has_credit() && may(consumer.id)).map(|consumer| consumer.id)
    }

    /// Uses one credit and moves the turn behind this consumer; `false` where it has none.
    pub(super) fn take_turn(&mut self, id: ConsumerId) -> bool {
        let Some(at) = self.find(id) else { return false };
        let Some(consumer) = self.round.get_mut(at).filter(|consumer| consumer.has_credit()) else { return false };
        if !consumer.settings.automatic {
            consumer.unacked += 1;
        }
        self.turn = at + 1;
        true
    }

    /// Gives one credit back; a consumer that has gone needs none.
    pub(super) fn settled(&mut self, id: Option<ConsumerId>) {
        if let Some(consumer) = id.and_then(|id| self.find(id)).and_then(|at| self.round.get_mut(at)) {
            consumer.unacked = consumer.unacked.saturating_sub(1);
        }
    }

    fn find(&self, id: ConsumerId) -> Option<usize> {
        self.round.iter().position(|consumer| consumer.id == id)
    }
}
