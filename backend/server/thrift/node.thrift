/** What the nodes of a run call one another by over Thrift, and other programs call them by, or are called. */

namespace go hopscope.node
namespace java hopscope.node
namespace py hopscope.node
namespace rs hopscope.node

/** What a call carries there, and what it is answered. */
struct Message {
  1: binary body;
  /** The media type of the body; without one it is application/octet-stream. */
  2: optional string content_type;
  /** The message's identity (W3C Trace Context), where there is no THeader to carry it. */
  3: optional string traceparent;
  4: optional string tracestate;
}

/** Not now: the waiting room is full. */
exception Refused {
  1: string reason;
}

/** The work went wrong. */
exception Failed {
  1: string reason;
}

service Node {
  Message call(1: Message message) throws (1: Refused refused, 2: Failed failed);
  /** Nobody waits for what becomes of it. */
  oneway void send(1: Message message);
}
