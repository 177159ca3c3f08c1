//! What is read beside what is seen: notes on protocols, why something cannot be disturbed, what to do when a run stands still.
//! Keys sorted; one line each.

use super::{Table, later};

/// The rows.
#[rustfmt::skip] // one line each, however long the text
pub(super) const TEXTS: Table = &later([
    ("disturb.why.binding", "It binds a queue to an exchange: nothing is sent over it. Disturb a link that publishes there."),
    ("disturb.why.changing", "Its rate changes by itself already. Give it a load of one rate (constant or poisson), or pause it."),
    ("disturb.why.client", "A client only asks: there is nothing of it that others could find down. Pause it, or crash the service that it calls."),
    ("disturb.why.closed", "Its users send when their replies are there: it has no rate. Give it an open load of one rate (constant or poisson), or pause it."),
    ("disturb.why.exchange", "An exchange is kept by its broker. Pause or crash the services around it, or disturb the links that publish to it."),
    ("disturb.why.external", "It is no part of Hopscope. Pause or crash what calls it, or disturb the links to it."),
    ("disturb.why.in-process", "It is a call in one program: there is no connection that could be cut, delayed or throttled. Choose http1, grpc or a queue."),
    ("disturb.why.kafka", "A client of Kafka goes to the address that its broker tells it, so nothing can stand between the two. Pause or crash the service at its end."),
    ("disturb.why.no-load", "A service sends when it is called: only clients have a rate. Change the rate of the client."),
    ("disturb.why.no-queue", "the scenario has no queue, so its run has no broker of queues; that of topics is called kafka"),
    ("disturb.why.no-topic", "the scenario has no topic, so its run has no broker of topics; that of queues is called broker"),
    ("disturb.why.queue", "A queue is kept by its broker. Pause or crash the service that takes from it, or disturb the links at it."),
    ("disturb.why.topic", "A topic is kept by its broker. Pause or crash the service that reads it."),
    ("protocol.amqp.note", "Messages through a queue of a broker: the sender does not wait for the receiver."),
    ("protocol.grpc.note", "A unary call over HTTP/2 and a socket on this machine. Other programs can make it too."),
    ("protocol.http1.note", "A call with its reply over a socket on this machine."),
    ("protocol.in-process.note", "A direct call, no socket: the baseline of one program."),
    ("protocol.kafka.note", "Records through a topic of a broker: every group that reads it gets each of them."),
    ("protocol.thrift.note", "A call, or a oneway message, over a socket on this machine. Other programs can make it too."),
    ("run.behind.remedy", "This machine could not send as fast as wanted: lower the rate, or let less run beside it."),
    ("run.counting.remedy", "{here} of {of} frames are here; laws, traces and dots follow as the others come."),
    ("run.cut.remedy", "All that was recorded up to there is shown."),
    ("run.damaged.remedy", "What came before is shown."),
    ("run.elsewhere.remedy", "It is shown as it goes on, and is stopped where it was started."),
    ("run.lost.remedy", "What is here stays, and what is missed comes later. A server is started by cargo xtask serve."),
    ("run.needs-server.remedy", "Scenarios are built, checked, opened and saved without one. A run needs Hopscope's backend: it starts real services and brokers on your machine, sends real messages and records every step. Type cargo xtask serve in its folder, and open the address that it prints."),
    ("run.no-server.remedy", "Start one by cargo xtask serve, then press Run again."),
    ("run.unkept.remedy", "What was kept is here and stays. Press Stop, or let it go on to its end."),
    ("run.unreadable.remedy", "Page and server may be of different versions: reload the page."),
]);
