//! What a client says, on its channel. Each verb that has a reply notes it.

use amq_protocol::frame::{AMQPContentHeader, AMQPFrame};
use amq_protocol::protocol::{AMQPClass, BasicProperties, basic, channel, confirm, exchange, queue, tx};
use amq_protocol::types::{AMQPValue, FieldTable, LongString};
use anyhow::{Context as _, Result};

use crate::peer::{Heard, Peer};

/// A table of these.
pub(crate) fn table(entries: &[(&str, AMQPValue)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert((*name).into(), value.clone());
    }
    table
}

/// A text.
pub(crate) fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(text))
}

/// A number of 32 bits.
pub(crate) const fn int(number: i32) -> AMQPValue {
    AMQPValue::LongInt(number)
}

/// A queue that is there until it is deleted.
pub(crate) fn queue(name: &str) -> queue::Declare {
    queue::Declare { queue: name.into(), ..queue::Declare::default() }
}

/// The same with arguments.
pub(crate) fn queue_with(name: &str, arguments: &[(&str, AMQPValue)]) -> queue::Declare {
    queue::Declare { arguments: table(arguments), ..queue(name) }
}

/// An exchange that is there until it is deleted.
pub(crate) fn exchange(name: &str, kind: &str) -> exchange::Declare {
    exchange::Declare { exchange: name.into(), kind: kind.into(), ..exchange::Declare::default() }
}

/// The same with arguments.
pub(crate) fn exchange_with(name: &str, kind: &str, arguments: &[(&str, AMQPValue)]) -> exchange::Declare {
    exchange::Declare { arguments: table(arguments), ..exchange(name, kind) }
}

/// A consumer that acknowledges.
pub(crate) fn consumer(queue: &str, tag: &str) -> basic::Consume {
    basic::Consume { queue: queue.into(), consumer_tag: tag.into(), ..basic::Consume::default() }
}

/// The same with arguments.
pub(crate) fn consumer_with(queue: &str, tag: &str, arguments: &[(&str, AMQPValue)]) -> basic::Consume {
    basic::Consume { arguments: table(arguments), ..consumer(queue, tag) }
}

/// A message that may get lost on its way.
pub(crate) fn message(exchange: &str, key: &str) -> basic::Publish {
    basic::Publish { exchange: exchange.into(), routing_key: key.into(), ..basic::Publish::default() }
}

fn of_basic(method: basic::AMQPMethod) -> AMQPClass {
    AMQPClass::Basic(method)
}

impl Peer {
    /// Asks on the channel that is spoken on.
    pub(crate) async fn say(&mut self, method: AMQPClass) -> Result<Option<Heard>> {
        self.ask(self.on, method).await
    }

    /// Opens another channel, or the same again, and speaks on it from now on.
    pub(crate) async fn turn_to(&mut self, channel: u16) -> Result<()> {
        self.on = channel;
        self.channel(channel).await
    }

    pub(crate) async fn close_channel(&mut self) -> Result<()> {
        let close = channel::Close { reply_code: 200, reply_text: "done".into(), class_id: 0, method_id: 0 };
        self.say(AMQPClass::Channel(channel::AMQPMethod::Close(close))).await?;
        Ok(())
    }

    /// Declares a queue; gives the name that it has.
    pub(crate) async fn declare(&mut self, declare: queue::Declare) -> Result<String> {
        if !declare.passive && !declare.queue.as_str().is_empty() {
            self.notes.declared_queue(declare.queue.as_str());
        }
        let heard = self.say(AMQPClass::Queue(queue::AMQPMethod::Declare(declare))).await?;
        Ok(match heard.map(|heard| heard.method) {
            Some(AMQPClass::Queue(queue::AMQPMethod::DeclareOk(declared))) => declared.queue.to_string(),
            _ => String::new(),
        })
    }

    /// Declares a queue and awaits no reply.
    pub(crate) async fn declare_nowait(&mut self, declare: queue::Declare) -> Result<()> {
        self.notes.declared_queue(declare.queue.as_str());
        let declare = queue::Declare { nowait: true, ..declare };
        self.send(self.on, AMQPClass::Queue(queue::AMQPMethod::Declare(declare))).await
    }

    /// Asks for a queue without a note; gives the reply's line.
    pub(crate) async fn ask_quietly(&mut self, declare: queue::Declare) -> Result<String> {
        self.send(self.on, AMQPClass::Queue(queue::AMQPMethod::Declare(declare))).await?;
        let on = self.on;
        let heard = self.aside(|heard| heard.channel == on).await?;
        if let AMQPClass::Channel(channel::AMQPMethod::Close(_)) = heard.method {
            let method = channel::AMQPMethod::CloseOk(channel::CloseOk {});
            self.send(on, AMQPClass::Channel(method)).await?;
        }
        Ok(heard.line())
    }

    /// Asks how much is ready, until so many are.
    pub(crate) async fn until_ready(&mut self, name: &str, ready: u32) -> Result<()> {
        let asked = queue::Declare { passive: true, ..queue(name) };
        loop {
            self.send(self.on, AMQPClass::Queue(queue::AMQPMethod::Declare(asked.clone()))).await?;
            let heard = self.aside(|heard| matches!(heard.method, AMQPClass::Queue(_) | AMQPClass::Channel(_))).await?;
            match heard.method {
                AMQPClass::Queue(queue::AMQPMethod::DeclareOk(declared)) if declared.message_count != ready => {
                    tokio::task::yield_now().await;
                }
                _ => break self.notes.say(&heard.line()),
            }
        }
        Ok(())
    }

    /// Asks until the queue is gone, on channels of their own.
    pub(crate) async fn until_gone(&mut self, name: &str) -> Result<()> {
        let before = self.on;
        let asked = queue::Declare { passive: true, ..queue(name) };
        self.channel(90).await?;
        loop {
            self.send(90, AMQPClass::Queue(queue::AMQPMethod::Declare(asked.clone()))).await?;
            let heard = self.aside(|heard| heard.channel == 90).await?;
            if let AMQPClass::Channel(channel::AMQPMethod::Close(_)) = heard.method {
                self.notes.say(&heard.line());
                let method = channel::AMQPMethod::CloseOk(channel::CloseOk {});
                self.send(90, AMQPClass::Channel(method)).await?;
                break;
            }
            tokio::task::yield_now().await;
        }
        self.on = before;
        Ok(())
    }

    pub(crate) async fn delete_queue(&mut self, name: &str) -> Result<()> {
        self.delete_queue_if(queue::Delete { queue: name.into(), ..queue::Delete::default() }).await
    }

    pub(crate) async fn delete_queue_if(&mut self, delete: queue::Delete) -> Result<()> {
        self.say(AMQPClass::Queue(queue::AMQPMethod::Delete(delete))).await?;
        Ok(())
    }

    pub(crate) async fn purge(&mut self, name: &str) -> Result<()> {
        let purge = queue::Purge { queue: name.into(), nowait: false };
        self.say(AMQPClass::Queue(queue::AMQPMethod::Purge(purge))).await?;
        Ok(())
    }

    pub(crate) async fn bind(&mut self, queue: &str, exchange: &str, key: &str) -> Result<()> {
        self.bind_with(queue, exchange, key, &[]).await
    }

    pub(crate) async fn bind_with(
        &mut self,
        queue: &str,
        exchange: &str,
        key: &str,
        arguments: &[(&str, AMQPValue)],
    ) -> Result<()> {
        let bind = queue::Bind {
            queue: queue.into(),
            exchange: exchange.into(),
            routing_key: key.into(),
            nowait: false,
            arguments: table(arguments),
        };
        self.say(AMQPClass::Queue(queue::AMQPMethod::Bind(bind))).await?;
        Ok(())
    }

    pub(crate) async fn unbind(&mut self, queue: &str, exchange: &str, key: &str) -> Result<()> {
        self.unbind_with(queue, exchange, key, &[]).await
    }

    pub(crate) async fn unbind_with(
        &mut self,
        queue: &str,
        exchange: &str,
        key: &str,
        arguments: &[(&str, AMQPValue)],
    ) -> Result<()> {
        let unbind = queue::Unbind {
            queue: queue.into(),
            exchange: exchange.into(),
            routing_key: key.into(),
            arguments: table(arguments),
        };
        self.say(AMQPClass::Queue(queue::AMQPMethod::Unbind(unbind))).await?;
        Ok(())
    }

    pub(crate) async fn declare_exchange(&mut self, declare: exchange::Declare) -> Result<()> {
        let own = !declare.exchange.as_str().is_empty() && !declare.exchange.as_str().starts_with("amq.");
        if !declare.passive && own {
            self.notes.declared_exchange(declare.exchange.as_str());
        }
        self.say(AMQPClass::Exchange(exchange::AMQPMethod::Declare(declare))).await?;
        Ok(())
    }

    pub(crate) async fn delete_exchange(&mut self, name: &str) -> Result<()> {
        self.delete_exchange_if(name, false).await
    }

    pub(crate) async fn delete_exchange_if(&mut self, name: &str, if_unused: bool) -> Result<()> {
        let delete = exchange::Delete { exchange: name.into(), if_unused, nowait: false };
        self.say(AMQPClass::Exchange(exchange::AMQPMethod::Delete(delete))).await?;
        Ok(())
    }

    /// Binds an exchange to a source.
    pub(crate) async fn bind_exchange(&mut self, destination: &str, source: &str, key: &str) -> Result<()> {
        let bind = exchange::Bind {
            destination: destination.into(),
            source: source.into(),
            routing_key: key.into(),
            nowait: false,
            arguments: FieldTable::default(),
        };
        self.say(AMQPClass::Exchange(exchange::AMQPMethod::Bind(bind))).await?;
        Ok(())
    }

    pub(crate) async fn unbind_exchange(&mut self, destination: &str, source: &str, key: &str) -> Result<()> {
        let unbind = exchange::Unbind {
            destination: destination.into(),
            source: source.into(),
            routing_key: key.into(),
            nowait: false,
            arguments: FieldTable::default(),
        };
        self.say(AMQPClass::Exchange(exchange::AMQPMethod::Unbind(unbind))).await?;
        Ok(())
    }

    /// Publishes without a word back.
    pub(crate) async fn publish(&mut self, exchange: &str, key: &str, body: &str) -> Result<()> {
        self.publish_as(message(exchange, key), BasicProperties::default(), body).await
    }

    pub(crate) async fn publish_as(
        &mut self,
        publish: basic::Publish,
        properties: BasicProperties,
        body: &str,
    ) -> Result<()> {
        self.send_content(self.on, of_basic(basic::AMQPMethod::Publish(publish)), properties, body.as_bytes()).await
    }

    /// Puts messages into a queue, one after the other, and waits until it has taken them.
    pub(crate) async fn fill(&mut self, queue: &str, bodies: &[&str]) -> Result<()> {
        self.fill_as(queue, &bodies.iter().map(|body| (*body, BasicProperties::default())).collect::<Vec<_>>()).await
    }

    /// The same with properties. On a channel of its own, so that no number of the other is used up.
    pub(crate) async fn fill_as(&mut self, queue: &str, messages: &[(&str, BasicProperties)]) -> Result<()> {
        const FILLING: u16 = 91;
        self.channel(FILLING).await?;
        let select = confirm::AMQPMethod::Select(confirm::Select { nowait: true });
        self.send(FILLING, AMQPClass::Confirm(select)).await?;
        for (body, properties) in messages {
            let publish = of_basic(basic::AMQPMethod::Publish(message("", queue)));
            self.send_content(FILLING, publish, properties.clone(), body.as_bytes()).await?;
        }
        let mut confirmed = 0;
        while confirmed < messages.len() as u64 {
            let heard = self.aside(|heard| heard.channel == FILLING && is_confirm(heard)).await?;
            confirmed = match heard.method {
                AMQPClass::Basic(basic::AMQPMethod::Ack(ack)) if ack.multiple => ack.delivery_tag,
                _ => confirmed + 1,
            };
        }
        let close = channel::Close { reply_code: 200, reply_text: "done".into(), class_id: 0, method_id: 0 };
        self.send(FILLING, AMQPClass::Channel(channel::AMQPMethod::Close(close))).await?;
        self.aside(|heard| heard.channel == FILLING).await?;
        Ok(())
    }

    /// Publishes a message of so many bytes, in frames of at most 100,000.
    pub(crate) async fn publish_large(&mut self, queue: &str, size: usize) -> Result<()> {
        let body: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect();
        self.send(self.on, of_basic(basic::AMQPMethod::Publish(message("", queue)))).await?;
        let header = AMQPContentHeader { class_id: 60, body_size: size as u64, properties: BasicProperties::default() };
        self.frame(&AMQPFrame::Header(self.on, header)).await?;
        for part in body.chunks(100_000) {
            self.frame(&AMQPFrame::Body(self.on, part.to_vec())).await?;
        }
        Ok(())
    }

    /// Takes one and notes its size and whether each of its bytes is what was sent.
    pub(crate) async fn get_large(&mut self, queue: &str) -> Result<()> {
        let get = of_basic(basic::AMQPMethod::Get(basic::Get { queue: queue.into(), no_ack: true }));
        self.send(self.on, get).await?;
        let on = self.on;
        let heard = self.aside(|heard| heard.channel == on).await?;
        let (_, body) = heard.content.context("nothing is there")?;
        let whole = body.iter().enumerate().all(|(at, byte)| usize::from(*byte) == at % 251);
        self.notes.say(&format!("{} bytes, whole: {whole}", body.len()));
        Ok(())
    }

    pub(crate) async fn confirm_select(&mut self) -> Result<()> {
        self.say(AMQPClass::Confirm(confirm::AMQPMethod::Select(confirm::Select { nowait: false }))).await?;
        Ok(())
    }

    /// Waits until all up to this number are confirmed, and notes which of them were accepted.
    pub(crate) async fn confirmed(&mut self, last: u64) -> Result<()> {
        self.confirmed_from(1, last).await
    }

    /// The same from this number on.
    pub(crate) async fn confirmed_from(&mut self, first: u64, last: u64) -> Result<()> {
        let mut known = std::collections::BTreeMap::new();
        while (known.len() as u64) < last + 1 - first {
            let heard = self.aside(is_confirm).await?;
            let (tag, multiple, accepted) = match heard.method {
                AMQPClass::Basic(basic::AMQPMethod::Ack(ack)) => (ack.delivery_tag, ack.multiple, true),
                AMQPClass::Basic(basic::AMQPMethod::Nack(nack)) => (nack.delivery_tag, nack.multiple, false),
                _ => continue,
            };
            for tag in if multiple { first..=tag } else { tag..=tag } {
                known.entry(tag).or_insert(accepted);
            }
        }
        let words: Vec<_> = known.iter().map(|(tag, accepted)| format!("{tag} {accepted}")).collect();
        self.notes.say(&format!("confirmed: {}", words.join(", ")));
        Ok(())
    }

    /// So many that came back.
    pub(crate) async fn returned(&mut self, count: usize) -> Result<()> {
        let is_one = |heard: &Heard| matches!(heard.method, AMQPClass::Basic(basic::AMQPMethod::Return(_)));
        self.asides(count, is_one, |_| String::new()).await?;
        Ok(())
    }

    pub(crate) async fn qos(&mut self, prefetch_count: u16, global: bool) -> Result<()> {
        self.say(of_basic(basic::AMQPMethod::Qos(basic::Qos { prefetch_count, global }))).await?;
        Ok(())
    }

    pub(crate) async fn consume(&mut self, consume: basic::Consume) -> Result<()> {
        self.say(of_basic(basic::AMQPMethod::Consume(consume))).await?;
        Ok(())
    }

    pub(crate) async fn cancel(&mut self, tag: &str) -> Result<()> {
        let cancel = basic::Cancel { consumer_tag: tag.into(), nowait: false };
        self.say(of_basic(basic::AMQPMethod::Cancel(cancel))).await?;
        Ok(())
    }

    /// So many consumers that the broker cancels.
    pub(crate) async fn cancelled(&mut self, count: usize) -> Result<()> {
        let is_one = |heard: &Heard| matches!(heard.method, AMQPClass::Basic(basic::AMQPMethod::Cancel(_)));
        self.asides(count, is_one, Heard::line).await?;
        Ok(())
    }

    /// So many deliveries; gives their tags.
    pub(crate) async fn deliveries(&mut self, count: usize) -> Result<Vec<u64>> {
        let is_one = |heard: &Heard| matches!(heard.method, AMQPClass::Basic(basic::AMQPMethod::Deliver(_)));
        let of = |heard: &Heard| match &heard.method {
            AMQPClass::Basic(basic::AMQPMethod::Deliver(deliver)) => deliver.consumer_tag.to_string(),
            _ => String::new(),
        };
        let tags = self.asides(count, is_one, of).await?.into_iter().map(|heard| match heard.method {
            AMQPClass::Basic(basic::AMQPMethod::Deliver(deliver)) => deliver.delivery_tag,
            _ => 0,
        });
        Ok(tags.collect())
    }

    /// Takes one copy; gives its tag.
    pub(crate) async fn get(&mut self, queue: &str) -> Result<u64> {
        self.get_as(queue, false).await
    }

    /// Takes one copy, perhaps for good.
    pub(crate) async fn get_as(&mut self, queue: &str, no_ack: bool) -> Result<u64> {
        let get = basic::Get { queue: queue.into(), no_ack };
        let heard = self.say(of_basic(basic::AMQPMethod::Get(get))).await?;
        Ok(match heard.map(|heard| heard.method) {
            Some(AMQPClass::Basic(basic::AMQPMethod::GetOk(got))) => got.delivery_tag,
            _ => 0,
        })
    }

    /// Takes one copy for good and gives its properties, without a note.
    pub(crate) async fn take_properties(&mut self, queue: &str) -> Result<BasicProperties> {
        let get = of_basic(basic::AMQPMethod::Get(basic::Get { queue: queue.into(), no_ack: true }));
        self.send(self.on, get).await?;
        let on = self.on;
        let heard = self.aside(|heard| heard.channel == on).await?;
        Ok(heard.content.context("nothing is there")?.0)
    }

    /// The same, its headers.
    pub(crate) async fn take_headers(&mut self, queue: &str) -> Result<FieldTable> {
        self.take_properties(queue).await?.headers().clone().context("no headers")
    }

    /// Takes copies for good until there is none.
    pub(crate) async fn drain(&mut self, queue: &str) -> Result<()> {
        while self.get_as(queue, true).await? > 0 {}
        Ok(())
    }

    pub(crate) async fn ack(&mut self, delivery_tag: u64, multiple: bool) -> Result<()> {
        self.send(self.on, of_basic(basic::AMQPMethod::Ack(basic::Ack { delivery_tag, multiple }))).await
    }

    pub(crate) async fn nack(&mut self, delivery_tag: u64, multiple: bool, requeue: bool) -> Result<()> {
        let nack = basic::Nack { delivery_tag, multiple, requeue };
        self.send(self.on, of_basic(basic::AMQPMethod::Nack(nack))).await
    }

    pub(crate) async fn reject(&mut self, delivery_tag: u64, requeue: bool) -> Result<()> {
        self.send(self.on, of_basic(basic::AMQPMethod::Reject(basic::Reject { delivery_tag, requeue }))).await
    }

    pub(crate) async fn recover(&mut self, requeue: bool) -> Result<()> {
        self.say(of_basic(basic::AMQPMethod::Recover(basic::Recover { requeue }))).await?;
        Ok(())
    }

    pub(crate) async fn tx_select(&mut self) -> Result<()> {
        self.say(AMQPClass::Tx(tx::AMQPMethod::Select(tx::Select {}))).await?;
        Ok(())
    }

    pub(crate) async fn tx_commit(&mut self) -> Result<()> {
        self.say(AMQPClass::Tx(tx::AMQPMethod::Commit(tx::Commit {}))).await?;
        Ok(())
    }

    pub(crate) async fn tx_rollback(&mut self) -> Result<()> {
        self.say(AMQPClass::Tx(tx::AMQPMethod::Rollback(tx::Rollback {}))).await?;
        Ok(())
    }

    /// Waits for what the broker has to say to something that has no reply, such as the end of the channel.
    pub(crate) async fn answer(&mut self) -> Result<()> {
        self.reply().await.map(|_| ())
    }

    /// Asks for something that changes nothing, so that all before it has been worked off on this channel.
    pub(crate) async fn settle_down(&mut self) -> Result<()> {
        let flow = channel::AMQPMethod::Flow(channel::Flow { active: true });
        self.ask(self.on, AMQPClass::Channel(flow)).await?.context("no answer")?;
        Ok(())
    }
}

fn is_confirm(heard: &Heard) -> bool {
    matches!(heard.method, AMQPClass::Basic(basic::AMQPMethod::Ack(_) | basic::AMQPMethod::Nack(_)))
}
