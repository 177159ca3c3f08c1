//! What of each trace is under way.

use std::ops::Range;

use hopscope_record::kind::{Admission, Attempt, KindInfo, ValueMeaning};
use hopscope_record::{Event, Kind, MessageId, PlaceIndex};
use hopscope_scenario::plan::{Passage, Plan, PlanLink};

use super::{awaits, whole};
use crate::numbered::Numbered;

/// What a link leads to.
#[derive(Clone, Copy, Default)]
struct Ends {
    /// A queue or a topic that nobody takes from.
    parks: bool,
    /// It delivers from one whose steps nobody stamps.
    delivers: bool,
    /// Copies of a message that are taken from there: one from a queue, one by each group that reads a topic; 0 where the queue
    /// stamps its steps.
    copies: u32,
}

/// Open attempts, messages at workers, copies in queues; each with the row of its trace.
#[derive(Default)]
pub(super) struct Open {
    /// Places of queues that nobody takes from: what is ready there waits for nothing.
    parked: Vec<u32>,
    /// What each link leads to.
    links: Vec<Ends>,
    /// Attempts, with who opened them.
    attempts: Numbered<(PlaceIndex, u32)>,
    /// Messages that wait for a worker or have one, with where.
    at_work: Numbered<(PlaceIndex, u32)>,
    /// Messages that are to come out of a queue that stamps nothing, or out of a topic, without their attempt; how often.
    put: Numbered<u32>,
    /// The places that publish in transactions, and what each has published since its last one ended, with the row of its trace.
    transacting: Vec<Range<u32>>,
    in_transaction: Vec<(PlaceIndex, u64, u32)>,
    /// The publish, without its attempt, of each delivery that is open, or that no worker has taken up yet.
    publishes: Numbered<u64>,
}

impl Open {
    /// Nothing, in a run of this plan.
    pub(super) fn of(plan: &Plan) -> Self {
        // Replies are taken by whoever waits for them.
        let taken = |node: u32| plan.links.iter().any(|link| link.from == node || link.replies == Some(node));
        let parked = plan.queues.iter().filter(|queue| !taken(queue.node));
        let unstamped = plan.broker.is_some();
        let link = |link: &PlanLink| {
            let reached = plan.reached(link);
            let is_parked = |node: &u32| plan.keeper_at(*node).is_some() && !taken(*node);
            let parks = !reached.is_empty() && reached.iter().all(is_parked);
            let silent = |node: u32| unstamped || plan.topic_at(node).is_some();
            let copies = match plan.topic_at(link.to) {
                // A record that gives way to a newer one is not waited for.
                Some(topic) if !topic.compaction.is_off() => 0,
                Some(topic) => topic.groups.len(),
                None => reached.iter().filter(|node| !is_parked(node)).map(|node| plan.copies_of(*node)).sum(),
            };
            Ends {
                parks,
                delivers: plan.passage(link) == Passage::Deliver && silent(link.from),
                copies: if silent(link.to) { u32::try_from(copies).unwrap_or(u32::MAX) } else { 0 },
            }
        };
        Self {
            parked: parked.map(|queue| queue.place).collect(),
            links: plan.links.iter().map(link).collect(),
            transacting: plan.topics.iter().flat_map(|topic| plan.transacting(topic.node)).collect(),
            ..Self::default()
        }
    }

    /// By how much more of its trace is under way after an event.
    pub(super) fn apply(&mut self, row: u32, event: &Event, info: &KindInfo) -> i32 {
        let mut by = self.at_work(row, event, info);
        let ends = self.links.get(usize::from(event.link.0)).copied().unwrap_or_default();
        // Its consumer's word, where no queue stamps: it counts with what is behind the link.
        let said = ends.delivers && info.a.meaning == ValueMeaning::Ordinal && event.a == 0;
        if !said && !self.parked.contains(&event.place.0) {
            by += i32::from(info.steps.ready);
        }
        match info.attempt {
            Attempt::Opens => by += self.opens(row, event),
            Attempt::Closes if !event.is_late() && !awaits(event, info) => {
                by -= i32::from(self.attempts.remove(event.message.0).is_some());
            }
            Attempt::Closes | Attempt::None => {}
        }
        if !event.parent.is_none() && (event.kind == Kind::DELIVERED || event.kind == Kind::RECEIVED) {
            self.publishes.insert(event.message.0, whole(event.parent));
        }
        by += self.behind(row, event, ends);
        if said && info.attempt == Attempt::Closes {
            self.publishes.remove(event.message.0);
        }
        by
    }

    /// What a place had under way ends with it, what it was at and what it had asked of others: the row of each.
    pub(super) fn exit(&mut self, place: PlaceIndex) -> Vec<u32> {
        let mut gone = leave(&mut self.at_work, place);
        gone.append(&mut leave(&mut self.attempts, place));
        // Whether its transaction stands, nobody knows: what of it is taken will be seen.
        gone.append(&mut self.transaction_ended(place, false));
        gone
    }

    /// A place's transaction has ended: the rows of what nobody waits for any more, where it was given up.
    pub(super) fn transaction_ended(&mut self, place: PlaceIndex, stands: bool) -> Vec<u32> {
        let ended: Vec<_> = self.in_transaction.extract_if(.., |(of, ..)| *of == place).collect();
        let void = ended.into_iter().filter(|_| !stands);
        void.filter(|(_, publish, _)| self.put.remove(*publish).is_some()).map(|(.., row)| row).collect()
    }

    /// What a worker takes up when it takes up this: a call's message, or what was published, each without its attempt.
    pub(super) fn publish_of(&mut self, message: MessageId) -> u64 {
        // One that is open may go back.
        let open = self.attempts.get(message.0).is_some();
        let publish = if open { self.publishes.get(message.0).copied() } else { self.publishes.remove(message.0) };
        publish.unwrap_or_else(|| whole(message))
    }

    fn opens(&mut self, row: u32, event: &Event) -> i32 {
        i32::from(self.attempts.insert(event.message.0, (event.place, row)).is_none())
    }

    /// Whoever waits for a worker or has one is at work until it is freed.
    fn at_work(&mut self, row: u32, event: &Event, info: &KindInfo) -> i32 {
        if info.steps.only_if_a.is_some_and(|a| a != event.a) {
            return 0;
        }
        let key = event.message.0;
        match (info.steps.waiting, info.steps.busy) {
            (0, 0) => 0,
            (-1, 0) | (0, -1) => -i32::from(self.at_work.remove(key).is_some()),
            _ => i32::from(self.at_work.insert(key, (event.place, row)).is_none()),
        }
    }

    /// What is in a queue that stamps nothing, by what its publishers and consumers say.
    fn behind(&mut self, row: u32, event: &Event, Ends { parks, delivers, copies }: Ends) -> i32 {
        match event.kind {
            Kind::PUBLISHED if !parks && copies > 0 => {
                if self.transacting.iter().any(|places| places.contains(&event.place.0)) {
                    self.in_transaction.push((event.place, whole(event.message), row));
                }
                self.comes(whole(event.message), copies)
            }
            Kind::RETURNED | Kind::CONFIRM_REFUSED => -i32::from(self.put.remove(whole(event.message)).is_some()),
            Kind::RECEIVED if delivers => {
                let opened = if event.a == Admission::Taken as u64 { 0 } else { self.opens(row, event) };
                opened + self.leaves(whole(event.parent))
            }
            Kind::REQUEUED if delivers => {
                let publish = self.publishes.get(event.message.0).copied();
                publish.map_or(0, |publish| self.returns(publish))
            }
            _ => 0,
        }
    }

    /// More copies of a message are to be taken; of a queue's it counts once.
    fn comes(&mut self, publish: u64, copies: u32) -> i32 {
        match self.put.get(publish).copied() {
            // Another try of the same message.
            Some(before) => {
                self.put.set(publish, before.max(copies));
                0
            }
            None => {
                self.put.set(publish, copies);
                1
            }
        }
    }

    /// A copy of a message that was taken is to be taken again.
    fn returns(&mut self, publish: u64) -> i32 {
        let before = self.put.get(publish).copied();
        self.put.set(publish, before.unwrap_or_default().saturating_add(1));
        i32::from(before.is_none())
    }

    /// A copy of a message was taken.
    fn leaves(&mut self, publish: u64) -> i32 {
        match self.put.get(publish).copied() {
            Some(copies) if copies > 1 => {
                self.put.set(publish, copies - 1);
                0
            }
            _ => -i32::from(self.put.remove(publish).is_some()),
        }
    }
}

/// Takes out what a place has: the rows.
fn leave(of: &mut Numbered<(PlaceIndex, u32)>, place: PlaceIndex) -> Vec<u32> {
    let there: Vec<_> =
        of.iter().filter(|(_, (at, _))| *at == place).map(|(number, (_, row))| (number, *row)).collect();
    let out = |(number, row)| {
        of.remove(number);
        row
    };
    there.into_iter().map(out).collect()
}
