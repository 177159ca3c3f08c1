//! What an event says, in one sentence.

use hopscope_record::kind::{
    ControlAction, Deaths, DepthReport, EffectMark, LATE, LagReport, QueueCause, QueueStep, ValueMeaning,
};
use hopscope_record::{Event, Kind, PlaceIndex};
use hopscope_scenario::catalogue::{Arg, Args, Key};
use hopscope_scenario::plan::Plan;
use hopscope_scenario::quantity::Rate;
use hopscope_scenario::text;

use hopscope_view::buffer::RunBuffer;
use hopscope_view::format;

/// The key of a kind's caption: `event.Sent`; `None` for a kind that this build has no words for.
#[must_use]
pub fn caption_key(kind: Kind) -> Option<Key> {
    Key::find(&format!("event.{}", kind.info()?.name))
}

/// The key of an event's caption: what came late has words of its own.
fn event_key(event: &Event) -> Option<Key> {
    let late = || Key::find(&format!("event.late.{}", event.kind.info()?.name));
    let consumer = event.kind.info().is_some_and(|info| info.a.meaning == ValueMeaning::Ordinal && event.a == 0);
    if consumer {
        return Key::find(&format!("event.sent.{}", event.kind.info()?.name));
    }
    if event.kind == Kind::CONTROL {
        let action = ControlAction::from_value(event.a)?;
        let back = if action == ControlAction::Rate && event.b == 0 { "-back" } else { "" };
        return Key::find(&format!("control.done.{}{back}", action.word()));
    }
    if event.kind == Kind::EFFECT && EffectMark::from_value(event.a).repeated {
        return Key::find("event.repeated.Effect");
    }
    if event.is_late() { late().or_else(|| caption_key(event.kind)) } else { caption_key(event.kind) }
}

/// The caption of an event, and what it names: `place`, `from`, `to`, `link`, `status`, `bytes`, `length`, `lag`,
/// `text`, `next` (the attempt that follows), and of a queue's transition `ordinal`, `before` (L1) and `after` (L2); of what a dead letter tells
/// `queue`, `times` and `why`.
#[must_use]
pub fn caption(event: &Event, buffer: &RunBuffer) -> Option<(Key, Args)> {
    let key = event_key(event)?;
    let plan = buffer.plan()?;
    let mut args = Args::new();
    let mut put = |name: &str, arg: Arg| args.insert(name.to_owned(), arg);
    put("place", place_name(plan, event.place).into());
    if let Some(link) = plan.link(event.link.0) {
        let node = |node: u32| plan.nodes.get(node as usize).map_or_else(String::new, |node| node.name.clone());
        put("from", node(link.from).into());
        put("to", node(link.to).into());
        put("link", link.protocol.descriptor().label.into());
    }
    let info = event.kind.info()?;
    for (value, meaning) in [(event.a, info.a.meaning), (event.b, info.b.meaning)] {
        match meaning {
            ValueMeaning::Status => put("status", (value & !LATE).to_string().into()),
            ValueMeaning::Bytes => put("bytes", format::whole(value).into()),
            ValueMeaning::DurationNs => put("length", format::duration(value.cast_signed()).into()),
            ValueMeaning::TimeNs => put("lag", format::duration(event.time - value.cast_signed()).into()),
            ValueMeaning::NextAttempt => put("next", value.to_string().into()),
            ValueMeaning::NameIndex => put("text", buffer.name(value).unwrap_or("–").to_owned().into()),
            ValueMeaning::Ordinal => put("ordinal", format::whole(value).into()),
            ValueMeaning::QueueStep => {
                let step = QueueStep::from_value(value);
                let length =
                    |length: Option<u32>| length.map_or("–".to_owned(), |length| format::whole(length.into()));
                put("before", length(step.map(|step| step.before)).into());
                put("after", length(step.map(|step| step.after)).into())
            }
            ValueMeaning::Effect => plan
                .effects
                .get(EffectMark::from_value(value).effect as usize)
                .and_then(|effect| put("account", effect.account.clone().into())),
            ValueMeaning::Amount => put("amount", format::signed(value.cast_signed()).into()),
            ValueMeaning::DepthReport => {
                put("after", format::whole(DepthReport::from_value(value).ready.into()).into())
            }
            // Which of these it is, the action says, and its text has only that one.
            ValueMeaning::ControlArgument => {
                put("length", format::duration(value.cast_signed()).into());
                put("rate", Rate(value.saturating_mul(1_000)).to_string().into());
                put("bytes", format::whole(value).into())
            }
            ValueMeaning::Offset => put("offset", format::whole(value).into()),
            ValueMeaning::Records => put("count", format::whole(value).into()),
            ValueMeaning::Member => put("member", format::whole(value).into()),
            ValueMeaning::LagReport => put("after", format::whole(LagReport::from_value(value).lag().into()).into()),
            ValueMeaning::QueueName => put("queue", buffer.name(value).unwrap_or("–").to_owned().into()),
            ValueMeaning::Deaths => Deaths::from_value(value).and_then(|deaths| {
                put("times", format::whole(deaths.count.into()).into());
                put("why", why(deaths.cause).into())
            }),
            _ => None,
        };
    }
    Some((key, args))
}

/// Why a message left a queue as a dead letter.
fn why(cause: QueueCause) -> Key {
    match cause {
        QueueCause::REJECTED => text!("dead.rejected"),
        QueueCause::MAX_LENGTH => text!("dead.max-length"),
        QueueCause::MESSAGE_TTL | QueueCause::QUEUE_TTL => text!("dead.expired"),
        _ => text!("dead.otherwise"),
    }
}

/// A place by its node's name, and by its number where the node has several; nothing for a place that the plan does not have.
#[must_use]
pub fn place_name(plan: &Plan, place: PlaceIndex) -> String {
    let Some(place) = plan.places.get(place.0 as usize) else { return String::new() };
    let name = plan.nodes.get(place.node as usize).map_or("", |node| node.name.as_str());
    if let Some(partition) = place.partition {
        let reader =
            plan.topic_at(place.node).and_then(|topic| topic.groups.get(place.ordinal.checked_sub(1)? as usize));
        return format!("{name}/{partition} → {}", reader.map_or("", |group| plan.group_name(*group)));
    }
    let replicas = plan.service_at(place.node).map_or(1, |service| service.replicas);
    if replicas > 1 { format!("{name} {}", place.ordinal) } else { name.to_owned() }
}
