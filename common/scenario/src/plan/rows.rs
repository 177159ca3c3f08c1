//! A plan's rows as JSON has them. By hand: what serde derives for them would be a good part of the code that a page brings.

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Error, Map, Value};

use super::{
    Choice, Described, FixedPorts, Place, Placement, Plan, PlanBroker, PlanDisturbance, PlanEffect, PlanExchange,
    PlanExternal, PlanGroup, PlanLink, PlanLoad, PlanNode, PlanQueue, PlanService, PlanTopic, Role, RunSettings, Step,
};
use crate::disturb::Action;
use crate::kinds::Kind;
use crate::model::{Apply, ExchangeType};
use crate::protocol::Protocol;
use crate::quantity::Time;

type Read<T> = Result<T, Error>;

/// An object whose every field is to be read.
struct Row<'a> {
    object: &'a Map<String, Value>,
    read: usize,
}

impl<'a> Row<'a> {
    fn of(value: &'a Value) -> Read<Self> {
        value.as_object().map(|object| Self { object, read: 0 }).ok_or_else(|| wrong("one of its rows"))
    }

    /// A field that may be left out or null.
    fn may(&mut self, name: &str) -> Option<&'a Value> {
        let value = self.object.get(name)?;
        self.read += 1;
        (!value.is_null()).then_some(value)
    }

    fn has(&mut self, name: &str) -> Read<&'a Value> {
        self.may(name).ok_or_else(|| wrong(name))
    }

    fn text(&mut self, name: &str) -> Read<&'a str> {
        self.has(name)?.as_str().ok_or_else(|| wrong(name))
    }

    fn number(&mut self, name: &str) -> Read<u32> {
        narrow(self.has(name)?).ok_or_else(|| wrong(name))
    }

    fn number_if(&mut self, name: &str) -> Read<Option<u32>> {
        self.may(name).map(|value| narrow(value).ok_or_else(|| wrong(name))).transpose()
    }

    fn short(&mut self, name: &str) -> Read<u16> {
        u16::try_from(self.number(name)?).map_err(|_| wrong(name))
    }

    fn list(&mut self, name: &str) -> Read<&'a [Value]> {
        self.has(name)?.as_array().map(Vec::as_slice).ok_or_else(|| wrong(name))
    }

    fn time_if(&mut self, name: &str) -> Read<Option<Time>> {
        self.may(name).map(Time::deserialize).transpose()
    }

    fn described<T>(&mut self, name: &str) -> Read<Described<T>> {
        self.has(name).map(|value| Described::new(value.clone()))
    }

    fn described_if<T>(&mut self, name: &str) -> Option<Described<T>> {
        self.may(name).map(|value| Described::new(value.clone()))
    }

    /// What was read of it, if nothing of it was not.
    fn whole<T>(&self, read: T) -> Read<T> {
        if self.read == self.object.len() { Ok(read) } else { Err(wrong("a field that is none of its own")) }
    }
}

fn wrong(what: &str) -> Error {
    Error::custom(format_args!("{what} is missing, or is not what it should be"))
}

fn narrow(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn each<T>(values: &[Value], read: fn(&Value) -> Read<T>) -> Read<Vec<T>> {
    values.iter().map(read).collect()
}

/// The plan, its numbers not looked at.
pub(super) fn plan(value: &Value) -> Read<Plan> {
    let mut row = Row::of(value)?;
    let plan = Plan {
        format: row.text("format")?.to_owned(),
        version: row.number("version")?,
        scenario: row.has("scenario")?.clone(),
        settings: settings(row.has("settings")?)?,
        broker: row.may("broker").map(PlanBroker::deserialize).transpose()?,
        kafka: row.may("kafka").map(PlanBroker::deserialize).transpose()?,
        nodes: each(row.list("nodes")?, node)?,
        places: each(row.list("places")?, place)?,
        links: each(row.list("links")?, link)?,
        loads: each(row.list("loads")?, load)?,
        services: each(row.list("services")?, service)?,
        queues: row.may("queues").and_then(Value::as_array).map_or(Ok(Vec::new()), |queues| each(queues, queue))?,
        topics: row.may("topics").and_then(Value::as_array).map_or(Ok(Vec::new()), |topics| each(topics, topic))?,
        externals: match row.may("externals").and_then(Value::as_array) {
            Some(externals) => each(externals, external)?,
            None => Vec::new(),
        },
        exchanges: match row.may("exchanges").and_then(Value::as_array) {
            Some(exchanges) => each(exchanges, exchange)?,
            None => Vec::new(),
        },
        disturbances: row
            .may("disturbances")
            .and_then(Value::as_array)
            .map_or(Ok(Vec::new()), |disturbances| each(disturbances, disturbance))?,
        effects: row
            .may("effects")
            .and_then(Value::as_array)
            .map_or(Ok(Vec::new()), |effects| each(effects, effect))?,
    };
    row.whole(plan)
}

/// The settings of a run.
pub(super) fn settings(value: &Value) -> Read<RunSettings> {
    let mut row = Row::of(value)?;
    // That it goes on until it is stopped must be written.
    if !row.object.contains_key("duration") {
        return Err(wrong("duration"));
    }
    let usual = RunSettings::default();
    let settings = RunSettings {
        seed: row.has("seed")?.as_u64().ok_or_else(|| wrong("seed"))?,
        warm_up: row.time_if("warm_up")?.unwrap_or(usual.warm_up),
        duration: row.time_if("duration")?,
        broker: row.may("broker").map(super::Broker::deserialize).transpose()?.unwrap_or(usual.broker),
        kafka: row.may("kafka").map(super::Broker::deserialize).transpose()?.unwrap_or(usual.kafka),
        placement: match row.may("placement") {
            Some(placement) => placement.as_str().and_then(Placement::find).ok_or_else(|| wrong("placement"))?,
            None => usual.placement,
        },
        ports: row.may("ports").and_then(Value::as_str).map(FixedPorts::new).unwrap_or_default(),
    };
    row.whole(settings)
}

fn node(value: &Value) -> Read<PlanNode> {
    let mut row = Row::of(value)?;
    let kind = Kind::find(row.text("kind")?).ok_or_else(|| wrong("kind"))?;
    let node = PlanNode { id: row.text("id")?.to_owned(), name: row.text("name")?.to_owned(), kind };
    row.whole(node)
}

fn place(value: &Value) -> Read<Place> {
    let mut row = Row::of(value)?;
    let role = match row.text("role")? {
        "client" => Role::Client,
        "replica" => Role::Replica,
        "queue" => Role::Queue,
        "topic" => Role::Topic,
        "group" => Role::Group,
        "exchange" => Role::Exchange,
        "external" => Role::External,
        _ => return Err(wrong("role")),
    };
    let partition = row.number_if("partition")?.map(|number| u16::try_from(number).map_err(|_| wrong("partition")));
    let (node, ordinal) = (row.number("node")?, row.number("ordinal")?);
    let place = Place { node, role, ordinal, partition: partition.transpose()? };
    row.whole(place)
}

fn link(value: &Value) -> Read<PlanLink> {
    let mut row = Row::of(value)?;
    let replies_of = row.number_if("replies_of")?.map(u16::try_from).transpose();
    let link = PlanLink {
        id: row.text("id")?.to_owned(),
        from: row.number("from")?,
        to: row.number("to")?,
        protocol: Protocol::find(row.text("protocol")?).ok_or_else(|| wrong("protocol"))?,
        timeout: row.time_if("timeout")?,
        retry: row.described_if("retry"),
        replies: row.number_if("replies")?,
        network: row.described_if("network"),
        options: row.may("options").and_then(Value::as_object).cloned().unwrap_or_default(),
        replies_of: replies_of.map_err(|_| wrong("replies_of"))?,
    };
    row.whole(link)
}

fn load(value: &Value) -> Read<PlanLoad> {
    let mut row = Row::of(value)?;
    let number =
        |value: &Value| narrow(value).and_then(|number| u16::try_from(number).ok()).ok_or_else(|| wrong("links"));
    let load = PlanLoad {
        node: row.number("node")?,
        place: row.number("place")?,
        load: row.described("load")?,
        payload: row.described("payload")?,
        links: each(row.list("links")?, number)?,
    };
    row.whole(load)
}

fn service(value: &Value) -> Read<PlanService> {
    let mut row = Row::of(value)?;
    let service = PlanService {
        node: row.number("node")?,
        first_place: row.number("first_place")?,
        replicas: row.number("replicas")?,
        workers: row.number("workers")?,
        room: row.number_if("room")?,
        effort: row.may("effort").map(Deserialize::deserialize).transpose()?.unwrap_or_default(),
        failure: row.may("failure").map(Deserialize::deserialize).transpose()?.unwrap_or_default(),
        body: each(row.list("body")?, step)?,
    };
    row.whole(service)
}

fn queue(value: &Value) -> Read<PlanQueue> {
    let mut row = Row::of(value)?;
    let queue = PlanQueue {
        node: row.number("node")?,
        place: row.number("place")?,
        capacity: row.number_if("capacity")?,
        overflow: row.may("overflow").map(Deserialize::deserialize).transpose()?.unwrap_or_default(),
        ttl: row.time_if("ttl")?,
        dead_letters: row.number_if("dead_letters")?,
        priorities: row
            .number_if("priorities")?
            .map(|highest| u8::try_from(highest).map_err(|_| wrong("priorities")))
            .transpose()?,
        durability: row.may("durability").map(Deserialize::deserialize).transpose()?.unwrap_or_default(),
        prefetch: row.short("prefetch")?,
        ack: Deserialize::deserialize(row.has("ack")?)?,
    };
    row.whole(queue)
}

fn topic(value: &Value) -> Read<PlanTopic> {
    let mut row = Row::of(value)?;
    let topic = PlanTopic {
        node: row.number("node")?,
        place: row.number("place")?,
        partitions: row.short("partitions")?,
        retention: row.time_if("retention")?,
        compaction: row.may("compaction").map(Deserialize::deserialize).transpose()?.unwrap_or_default(),
        groups: each(row.list("groups")?, group)?,
    };
    row.whole(topic)
}

fn external(value: &Value) -> Read<PlanExternal> {
    let mut row = Row::of(value)?;
    let external = PlanExternal { node: row.number("node")?, place: row.number("place")? };
    row.whole(external)
}

fn exchange(value: &Value) -> Read<PlanExchange> {
    let mut row = Row::of(value)?;
    let exchange = PlanExchange {
        node: row.number("node")?,
        place: row.number("place")?,
        routing: ExchangeType::find(row.text("routing")?).ok_or_else(|| wrong("routing"))?,
        alternate: row.number_if("alternate")?,
    };
    row.whole(exchange)
}

fn group(value: &Value) -> Read<PlanGroup> {
    let mut row = Row::of(value)?;
    let group = PlanGroup { link: row.short("link")?, first_place: row.number("first_place")? };
    row.whole(group)
}

fn disturbance(value: &Value) -> Read<PlanDisturbance> {
    let mut row = Row::of(value)?;
    let link = row.number_if("link")?.map(u16::try_from).transpose();
    let disturbance = PlanDisturbance {
        at: row.time_if("at")?.ok_or_else(|| wrong("at"))?,
        action: Action::find(row.text("do")?).ok_or_else(|| wrong("do"))?,
        node: row.number_if("node")?,
        link: link.map_err(|_| wrong("link"))?,
        kafka: row.may("kafka").and_then(Value::as_bool).unwrap_or_default(),
        argument: row.has("argument")?.as_u64().ok_or_else(|| wrong("argument"))?,
    };
    row.whole(disturbance)
}

fn effect(value: &Value) -> Read<PlanEffect> {
    let mut row = Row::of(value)?;
    let effect = PlanEffect {
        node: row.number("node")?,
        account: row.text("account")?.to_owned(),
        amount: row.has("amount")?.as_i64().ok_or_else(|| wrong("amount"))?,
        apply: match row.text("apply")? {
            "once" => Apply::Once,
            "every-time" => Apply::EveryTime,
            _ => return Err(wrong("apply")),
        },
        transfer: row.may("transfer").and_then(Value::as_str).map(str::to_owned),
    };
    row.whole(effect)
}

fn step(value: &Value) -> Read<Step> {
    let mut row = Row::of(value)?;
    let branch = |value: &Value| each(value.as_array().ok_or_else(|| wrong("branches"))?, step);
    let step = match row.text("step")? {
        "work" => Step::Work { work: row.described("work")? },
        "call" => Step::Call { link: row.short("link")? },
        "publish" => Step::Publish { link: row.short("link")? },
        "effect" => Step::Effect { effect: row.number("effect")? },
        "parallel" => Step::Parallel { branches: each(row.list("branches")?, branch)? },
        "choose" => Step::Choose { branches: each(row.list("branches")?, choice)? },
        "reply" => Step::Reply,
        _ => return Err(wrong("step")),
    };
    row.whole(step)
}

fn choice(value: &Value) -> Read<Choice> {
    let mut row = Row::of(value)?;
    let choice = Choice { weight: row.number("weight")?, steps: each(row.list("steps")?, step)? };
    row.whole(choice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_what_its_kind_has_and_nothing_else() {
        let read = |text: &str| step(&serde_json::from_str(text).unwrap());
        assert_eq!(read(r#"{"step": "call", "link": 3}"#).unwrap(), Step::Call { link: 3 });
        let choose = r#"{"step": "choose", "branches": [{"weight": 1, "steps": [{"step": "reply"}]}]}"#;
        assert_eq!(
            serde_json::to_string(&read(choose).unwrap()).unwrap(),
            choose.replace(": ", ":").replace(", ", ",")
        );
        let wrong = [
            r#"{"step": "call"}"#,
            r#"{"step": "call", "link": 70000}"#,
            r#"{"step": "call", "link": 3, "branches": []}"#,
            r#"{"step": "reply", "link": 3}"#,
            r#"{"step": "parallel", "branches": [{"weight": 1, "steps": []}]}"#,
            r#"{"step": "choose", "branches": [[]]}"#,
            r#"{"step": "work"}"#,
            r#"{"step": "effect", "effect": -1}"#,
            r#"{"step": "rest"}"#,
            r#"{"step": "reply", "twice": true}"#,
            r#"{"link": 3}"#,
        ];
        for text in wrong {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
