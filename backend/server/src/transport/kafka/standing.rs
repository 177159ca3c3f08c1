//! Whether a client reaches its broker: librdkafka connects again by itself, and that is stamped.
//!
//! It tells when no broker is left, and never when one is there again: so it is asked for then, until one answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hopscope_record::kind::DisconnectReason;
use hopscope_record::{Kind, MessageId, TraceId};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::sync::watch;

use super::aside;
use crate::record::Recorder;

/// What is stamped of an end whose broker has gone.
const GONE: &str = "the broker has gone";

/// How long one that is asked for may take to answer, and the pause before it is asked for again.
pub(super) const ASKED: Duration = Duration::from_millis(500);
const AGAIN: Duration = Duration::from_millis(20);

/// The connection of one end of a link. Clones share it.
#[derive(Clone)]
pub(super) struct Standing {
    recorder: Recorder,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It has not connected yet.
    Begun,
    Stands,
    /// It has been lost since then, in ns of the run.
    Lost(i64),
    Closed,
}

impl Standing {
    /// That of an end which is about to connect; `recorder` stamps at its place, on its link.
    pub(super) fn new(recorder: Recorder) -> Self {
        Self { recorder, state: watch::Sender::new(State::Begun) }
    }

    /// It has connected, which it began at `began`.
    pub(super) fn connected(&self, began: i64) {
        self.go_on(|state| (state == State::Begun).then_some((State::Stands, Some(began))));
    }

    /// Whether the broker has gone, and is not there again.
    pub(super) fn is_lost(&self) -> bool {
        matches!(*self.state.borrow(), State::Lost(_))
    }

    /// Resolves when the broker is there, or this end is at its end.
    pub(super) async fn stands(&self) {
        let mut state = self.state.subscribe();
        // Its sender is this one.
        let _ = state.wait_for(|state| !matches!(state, State::Lost(_))).await;
    }

    /// Asks for the broker whenever it has gone, until it answers; as long as its owner lets it.
    pub(super) async fn keep(self, ask: impl Fn() -> bool + Clone + Send + 'static) {
        let mut state = self.state.subscribe();
        while state.wait_for(|state| matches!(state, State::Lost(_))).await.is_ok() {
            while self.is_lost() {
                if aside(ask.clone()).await == Some(true) {
                    self.go_on(|state| match state {
                        State::Lost(since) => Some((State::Stands, Some(since))),
                        _ => None,
                    });
                } else {
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// It is at its end; `error`: what went wrong.
    pub(super) fn closed(&self, error: Option<&str>) {
        self.state.send_if_modified(|state| {
            let before = std::mem::replace(state, State::Closed);
            match before {
                State::Stands => self.stamp_end(error),
                // What was handed over since then went nowhere: nobody can know what becomes of it.
                State::Lost(_) => self.stamp_end(Some(error.unwrap_or(GONE))),
                State::Begun | State::Closed => {}
            }
            before != State::Closed
        });
    }

    /// Goes on to what `to` says, and stamps it: a connection that began then, or one that was lost.
    fn go_on(&self, to: impl FnOnce(State) -> Option<(State, Option<i64>)>) {
        self.state.send_if_modified(|state| {
            let Some((next, began)) = to(*state) else { return false };
            *state = next;
            match began {
                Some(began) => {
                    let took = self.recorder.now().saturating_sub(began).unsigned_abs();
                    self.stamp(Kind::CONNECTED, took, 0);
                }
                None => self.stamp_end(Some(GONE)),
            }
            true
        });
    }

    fn stamp_end(&self, error: Option<&str>) {
        let reason = if error.is_some() { DisconnectReason::Broken } else { DisconnectReason::Closed };
        self.stamp(Kind::DISCONNECTED, reason as u64, error.map_or(0, |error| self.recorder.name(error)));
    }

    fn stamp(&self, kind: Kind, a: u64, b: u64) {
        self.recorder.record(kind, TraceId::NONE, MessageId::NONE, MessageId::NONE, a, b);
    }
}

impl Standing {
    pub(super) fn log(&self, _: RDKafkaLogLevel, facility: &str, words: &str) {
        tracing::debug!("librdkafka: {facility} {words}");
    }

    pub(super) fn error(&self, error: &KafkaError, reason: &str) {
        tracing::debug!("librdkafka: {error}: {reason}");
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            let now = self.recorder.now();
            self.go_on(|state| (state == State::Stands).then_some((State::Lost(now), None)));
        }
    }
}

/// The ends of links that one client serves: it tells them what it hears. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Ends(Arc<Mutex<Vec<Standing>>>);

impl Ends {
    fn all(&self) -> MutexGuard<'_, Vec<Standing>> {
        // Its steps are whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more.
    pub(super) fn add(&self, end: Standing) {
        self.all().push(end);
    }
}

impl ClientContext for Ends {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, words: &str) {
        self.all().iter().take(1).for_each(|end| end.log(level, facility, words));
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.all().iter().for_each(|end| end.error(&error, reason));
    }
}
