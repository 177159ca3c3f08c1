//! Which method does what.

use amq_protocol::protocol::{AMQPClass, access, basic, channel, confirm, exchange, queue, tx};

use super::State;
use super::settle::Settlement;
use crate::fault::Fault;
use crate::observer::{ConnectionId, Observer};
use hopscope_rules::queue::Cause;

impl<O: Observer> State<O> {
    /// Carries out a method of an open channel; not `channel.open` and `channel.close`, and no publish.
    pub(crate) fn dispatch(&mut self, id: ConnectionId, number: u16, method: &AMQPClass) -> Result<(), Fault> {
        let done = match method {
            AMQPClass::Basic(method) => self.basic(id, number, method),
            AMQPClass::Queue(method) => self.queue(id, number, method),
            AMQPClass::Exchange(method) => self.exchange(id, number, method),
            AMQPClass::Confirm(confirm::AMQPMethod::Select(select)) => self.confirm_select(id, number, select),
            AMQPClass::Channel(channel::AMQPMethod::Flow(flow)) => self.flow(id, number, flow.active),
            AMQPClass::Access(access::AMQPMethod::Request(_)) => {
                let granted = access::AMQPMethod::RequestOk(access::RequestOk {});
                self.send(id, number, &AMQPClass::Access(granted));
                Ok(())
            }
            AMQPClass::Tx(tx::AMQPMethod::Select(_)) => self.tx_select(id, number),
            AMQPClass::Tx(tx::AMQPMethod::Commit(_)) => self.tx_commit(id, number),
            AMQPClass::Tx(tx::AMQPMethod::Rollback(_)) => self.tx_rollback(id, number),
            AMQPClass::Connection(_)
            | AMQPClass::Channel(_)
            | AMQPClass::Access(_)
            | AMQPClass::Confirm(_)
            | AMQPClass::Tx(_) => Err(misplaced()),
        };
        self.bury();
        done
    }

    fn basic(&mut self, id: ConnectionId, number: u16, method: &basic::AMQPMethod) -> Result<(), Fault> {
        match method {
            basic::AMQPMethod::Qos(qos) => self.qos(id, number, qos),
            basic::AMQPMethod::Consume(consume) => self.consume(id, number, consume),
            basic::AMQPMethod::Cancel(cancel) => self.cancel(id, number, cancel),
            basic::AMQPMethod::Get(get) => self.get(id, number, get),
            basic::AMQPMethod::Ack(ack) => self.settle(id, number, ack.delivery_tag, ack.multiple, Settlement::Ack),
            basic::AMQPMethod::Nack(nack) => {
                self.settle(id, number, nack.delivery_tag, nack.multiple, refusal(nack.requeue))
            }
            basic::AMQPMethod::Reject(reject) => {
                self.settle(id, number, reject.delivery_tag, false, refusal(reject.requeue))
            }
            basic::AMQPMethod::Recover(recover) => self.recover(id, number, recover.requeue, true),
            basic::AMQPMethod::RecoverAsync(recover) => self.recover(id, number, recover.requeue, false),
            _ => Err(misplaced()),
        }
    }

    fn queue(&mut self, id: ConnectionId, number: u16, method: &queue::AMQPMethod) -> Result<(), Fault> {
        match method {
            queue::AMQPMethod::Declare(declare) => self.declare_queue(id, number, declare),
            queue::AMQPMethod::Bind(bind) => self.bind_queue(id, number, bind),
            queue::AMQPMethod::Unbind(unbind) => self.unbind_queue(id, number, unbind),
            queue::AMQPMethod::Purge(purge) => self.purge_queue(id, number, purge),
            queue::AMQPMethod::Delete(delete) => self.delete_queue_of(id, number, delete),
            _ => Err(misplaced()),
        }
    }

    fn exchange(&mut self, id: ConnectionId, number: u16, method: &exchange::AMQPMethod) -> Result<(), Fault> {
        match method {
            exchange::AMQPMethod::Declare(declare) => self.declare_exchange(id, number, declare),
            exchange::AMQPMethod::Delete(delete) => self.delete_exchange(id, number, delete),
            exchange::AMQPMethod::Bind(bind) => self.bind_exchange(id, number, bind),
            exchange::AMQPMethod::Unbind(unbind) => self.unbind_exchange(id, number, unbind),
            _ => Err(misplaced()),
        }
    }
}

fn refusal(requeue: bool) -> Settlement {
    if requeue { Settlement::Requeue(Cause::Nack) } else { Settlement::Reject }
}

fn misplaced() -> Fault {
    Fault::command_invalid("unimplemented method")
}
