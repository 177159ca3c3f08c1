// Calls a node of a run over Thrift, or is called as one is: what python/peer.py does, in Go.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"peer/hopscope/node"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 6 && os.Args[1] == "call":
		err = call(os.Args[2], os.Args[3], os.Args[4], os.Args[5])
	case len(os.Args) >= 6 && os.Args[1] == "load":
		err = load(os.Args[2], os.Args[3:])
	case len(os.Args) == 4 && os.Args[1] == "serve":
		err = serve(os.Args[2], os.Args[3])
	default:
		err = errors.New("usage: peer call HOST:PORT FRAMING ENCODING TRACEPARENT | peer serve FRAMING ENCODING | peer load HOST:PORT AT_ONCE SECONDS BYTES [RATE]")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// How messages are marked off and written.
func shape(framing, encoding string) (thrift.TTransportFactory, thrift.TProtocolFactory) {
	config := &thrift.TConfiguration{}
	var protocol thrift.TProtocolFactory = thrift.NewTBinaryProtocolFactoryConf(config)
	within := thrift.THeaderProtocolBinary
	if encoding == "compact" {
		protocol, within = thrift.NewTCompactProtocolFactoryConf(config), thrift.THeaderProtocolCompact
	}
	switch framing {
	case "header":
		inside := &thrift.TConfiguration{THeaderProtocolID: &within}
		return thrift.NewTHeaderTransportFactoryConf(nil, inside), thrift.NewTHeaderProtocolFactoryConf(inside)
	case "framed":
		return thrift.NewTFramedTransportFactoryConf(thrift.NewTTransportFactory(), config), protocol
	default:
		return thrift.NewTBufferedTransportFactory(4096), protocol
	}
}

func call(address, framing, encoding, traceparent string) error {
	transports, protocols := shape(framing, encoding)
	transport, err := transports.GetTransport(thrift.NewTSocketConf(address, nil))
	if err != nil {
		return err
	}
	if err := transport.Open(); err != nil {
		return err
	}
	defer transport.Close()
	protocol := protocols.GetProtocol(transport)
	plain := thrift.NewTStandardClient(protocol, protocol)
	client := node.NewNodeClient(plain)
	ctx := context.Background()
	message := func(body []byte) *node.Message { return &node.Message{Body: body, Traceparent: &traceparent} }
	if framing == "header" {
		ctx = thrift.SetHeader(ctx, "traceparent", traceparent)
		ctx = thrift.SetWriteHeaderList(ctx, []string{"traceparent"})
		message = func(body []byte) *node.Message { return &node.Message{Body: body} }
	}
	told := struct {
		Bodies       []int `json:"bodies"`
		NoSuchMethod int32 `json:"no_such_method"`
	}{}
	large := make([]byte, 100_000)
	for _, body := range [][]byte{{}, []byte("ten bytes."), large} {
		reply, err := client.Call(ctx, message(body))
		if err != nil {
			return err
		}
		told.Bodies = append(told.Bodies, len(reply.Body))
	}
	if err := client.Send(ctx, message([]byte("oneway"))); err != nil {
		return err
	}
	reply, err := client.Call(ctx, message([]byte("last")))
	if err != nil {
		return err
	}
	told.Bodies = append(told.Bodies, len(reply.Body))
	arguments := node.NodeCallArgs{Message: &node.Message{Body: []byte{}}}
	var result node.NodeCallResult
	_, err = plain.Call(ctx, "elsewhere", &arguments, &result)
	var unknown thrift.TApplicationException
	if errors.As(err, &unknown) {
		told.NoSuchMethod = unknown.TypeId()
	}
	return json.NewEncoder(os.Stdout).Encode(told)
}

// Keeps so many calls under way by THeader, each on a connection of its own, as fast as they come back or so many a second.
func load(address string, words []string) error {
	numbers := make([]int, len(words))
	for at, word := range words {
		number, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		numbers[at] = number
	}
	atOnce, until := numbers[0], time.Now().Add(time.Duration(numbers[1])*time.Second)
	body := make([]byte, numbers[2])
	var ticks chan struct{}
	if len(numbers) > 3 {
		// What is behind is sent as soon as a call is free.
		ticks = make(chan struct{}, numbers[3])
		go func() {
			every := time.Second / time.Duration(numbers[3])
			for due := time.Now(); due.Before(until); due = due.Add(every) {
				time.Sleep(time.Until(due))
				ticks <- struct{}{}
			}
			close(ticks)
		}()
	}
	transports, protocols := shape("header", "binary")
	failed := make(chan error, atOnce)
	for range atOnce {
		go func() {
			failed <- func() error {
				transport, err := transports.GetTransport(thrift.NewTSocketConf(address, nil))
				if err != nil {
					return err
				}
				if err := transport.Open(); err != nil {
					return err
				}
				defer transport.Close()
				protocol := protocols.GetProtocol(transport)
				client := node.NewNodeClient(thrift.NewTStandardClient(protocol, protocol))
				for time.Now().Before(until) {
					if ticks != nil {
						if _, due := <-ticks; !due {
							return nil
						}
					}
					if _, err := client.Call(context.Background(), &node.Message{Body: body}); err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	for range atOnce {
		if err := <-failed; err != nil {
			return err
		}
	}
	return nil
}

// Answers with what it was sent, and throws what it is told to.
type handler struct{ lock sync.Mutex }

func (h *handler) tell(method string, message *node.Message) {
	h.lock.Lock()
	defer h.lock.Unlock()
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
		"method": method, "bytes": len(message.Body), "traceparent": message.Traceparent,
	})
}

func (h *handler) Call(_ context.Context, message *node.Message) (*node.Message, error) {
	h.tell("call", message)
	switch string(message.Body) {
	case "refused":
		return nil, &node.Refused{Reason: "as told"}
	case "failed":
		return nil, &node.Failed{Reason: "as told"}
	case "broken":
		return nil, thrift.NewTApplicationException(thrift.INTERNAL_ERROR, "as told")
	}
	return &node.Message{Body: message.Body}, nil
}

func (h *handler) Send(_ context.Context, message *node.Message) error {
	h.tell("send", message)
	return nil
}

func serve(framing, encoding string) error {
	transports, protocols := shape(framing, encoding)
	socket, err := thrift.NewTServerSocket("127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := socket.Listen(); err != nil {
		return err
	}
	fmt.Println(socket.Addr().(*net.TCPAddr).Port)
	server := thrift.NewTSimpleServer4(node.NewNodeProcessor(&handler{}), socket, transports, protocols)
	go func() { _ = server.Serve() }()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
