//! Queues, exchanges and what binds them.

use amq_protocol::protocol::{AMQPClass, channel, exchange, queue};
use amq_protocol::types::{AMQPValue, FieldTable};
use anyhow::Result;

use super::table;
use crate::peer::Peer;

impl Peer {
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
            self.close_ok(on).await?;
        }
        Ok(heard.line())
    }

    /// Asks how much is ready, until so many are.
    pub(crate) async fn until_ready(&mut self, name: &str, ready: u32) -> Result<()> {
        let asked = queue::Declare { passive: true, ..super::queue(name) };
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
        let asked = queue::Declare { passive: true, ..super::queue(name) };
        self.channel(90).await?;
        loop {
            self.send(90, AMQPClass::Queue(queue::AMQPMethod::Declare(asked.clone()))).await?;
            let heard = self.aside(|heard| heard.channel == 90).await?;
            if let AMQPClass::Channel(channel::AMQPMethod::Close(_)) = heard.method {
                self.notes.say(&heard.line());
                self.close_ok(90).await?;
                break;
            }
            tokio::task::yield_now().await;
        }
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
}
