//! Who takes turns at a queue, and how much each may hold.

use std::cmp::Reverse;

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
    /// Who comes first: while one of a higher priority may take, none of a lower one does. RabbitMQ's default is 0.
    pub priority: i64,
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

/// The rounds, the highest priority first. Each has a turn of its own: with one for all, whoever follows a consumer of
/// another priority would get that one's turns too.
#[derive(Debug)]
pub(super) struct Consumers {
    rounds: Vec<Round>,
    /// Whether only one of them takes, until it goes.
    single_active: bool,
    /// Which one that is.
    active: Option<ConsumerId>,
    minted: u64,
}

/// Consumers of one priority; at least one.
#[derive(Debug)]
struct Round {
    priority: i64,
    consumers: Vec<Consumer>,
    /// Index of whose turn it is; beyond the end means the first.
    turn: usize,
}

impl Consumers {
    pub(super) const fn new(single_active: bool) -> Self {
        Self { rounds: Vec::new(), single_active, active: None, minted: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.rounds.iter().map(|round| round.consumers.len()).sum()
    }

    pub(super) fn add(&mut self, settings: ConsumerSettings) -> ConsumerId {
        self.minted += 1;
        let id = ConsumerId(self.minted);
        let consumer = Consumer { id, settings, unacked: 0 };
        match self.rounds.binary_search_by_key(&Reverse(settings.priority), |round| Reverse(round.priority)) {
            Ok(at) => {
                if let Some(round) = self.rounds.get_mut(at) {
                    round.add(consumer);
                }
            }
            Err(at) => {
                self.rounds.insert(at, Round { priority: settings.priority, consumers: vec![consumer], turn: 0 });
            }
        }
        if self.single_active {
            self.active.get_or_insert(id);
        }
        id
    }

    pub(super) fn remove(&mut self, id: ConsumerId) -> bool {
        let removed = self.rounds.iter_mut().any(|round| round.remove(id));
        self.rounds.retain(|round| !round.consumers.is_empty());
        if self.active == Some(id) {
            // The first that came, of the highest priority.
            self.active =
                self.rounds.first().and_then(|round| round.consumers.iter().map(|consumer| consumer.id).min());
        }
        removed
    }

    pub(super) fn settings(&self, id: ConsumerId) -> Option<ConsumerSettings> {
        self.all().find(|consumer| consumer.id == id).map(|consumer| consumer.settings)
    }

    /// The next in the round of the highest priority that has one with credit that `may`; of a single active consumer,
    /// that one or none.
    pub(super) fn next(&self, mut may: impl FnMut(ConsumerId) -> bool) -> Option<ConsumerId> {
        if self.single_active {
            let active = self.all().find(|consumer| Some(consumer.id) == self.active)?;
            return (active.has_credit() && may(active.id)).then_some(active.id);
        }
        self.rounds.iter().find_map(|round| round.next(&mut may))
    }

    /// Uses one credit and moves the turn of its round behind this consumer; `false` where it has none, or another one is
    /// the single active one.
    pub(super) fn take_turn(&mut self, id: ConsumerId) -> bool {
        if self.single_active && self.active != Some(id) {
            return false;
        }
        self.rounds.iter_mut().any(|round| round.take_turn(id))
    }

    /// Gives one credit back; a consumer that has gone needs none.
    pub(super) fn settled(&mut self, id: Option<ConsumerId>) {
        let Some(id) = id else { return };
        let mut all = self.rounds.iter_mut().flat_map(|round| &mut round.consumers);
        if let Some(consumer) = all.find(|consumer| consumer.id == id) {
            consumer.unacked = consumer.unacked.saturating_sub(1);
        }
    }

    fn all(&self) -> impl Iterator<Item = &Consumer> {
        self.rounds.iter().flat_map(|round| &round.consumers)
    }
}

impl Round {
    fn add(&mut self, consumer: Consumer) {
        // Just behind whose turn it is: everyone else comes first.
        let at = self.turn.min(self.consumers.len());
        self.consumers.insert(at, consumer);
        self.turn = at + 1;
    }

    fn remove(&mut self, id: ConsumerId) -> bool {
        let Some(at) = self.find(id) else { return false };
        self.consumers.remove(at);
        if at < self.turn {
            self.turn -= 1;
        }
        true
    }

    fn next(&self, may: &mut impl FnMut(ConsumerId) -> bool) -> Option<ConsumerId> {
        let turn = self.turn.min(self.consumers.len());
        let (done, coming) = self.consumers.split_at(turn);
        coming.iter().chain(done).find(|consumer| consumer.has_credit() && may(consumer.id)).map(|consumer| consumer.id)
    }

    fn take_turn(&mut self, id: ConsumerId) -> bool {
        let Some(at) = self.find(id) else { return false };
        let Some(consumer) = self.consumers.get_mut(at).filter(|consumer| consumer.has_credit()) else { return false };
        if !consumer.settings.automatic {
            consumer.unacked += 1;
        }
        self.turn = at + 1;
        true
    }

    fn find(&self, id: ConsumerId) -> Option<usize> {
        self.consumers.iter().position(|consumer| consumer.id == id)
    }
}
