// A gRPC greeter, as the introductions to gRPC have it, for an external service of a scenario.
//
//	go run . [-port 50051] [-then HOST:PORT]
//	hopscope serve --allow-target greeter=127.0.0.1:50051
//
// In the scenario, link a client over gRPC to an external service called greeter, with the method /helloworld.Greeter/SayHello, and
// let the client's content be text or JSON. With -then, each greeting is passed on to another greeter: to a service of the same run,
// at a port that the run's settings fix. What it is given of traceparent and tracestate it passes on, so the two are one tree.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os/signal"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/examples/helloworld/helloworld"
	"google.golang.org/grpc/metadata"
)

type greeter struct {
	helloworld.UnimplementedGreeterServer
	then helloworld.GreeterClient
}

func (g *greeter) SayHello(ctx context.Context, request *helloworld.HelloRequest) (*helloworld.HelloReply, error) {
	if g.then != nil {
		if _, err := g.then.SayHello(carried(ctx), request); err != nil {
			return nil, err
		}
	}
	return &helloworld.HelloReply{Message: "Hello " + request.GetName()}, nil
}

// carried is the context of a call that the one of ctx causes: of the same trace.
func carried(ctx context.Context) context.Context {
	for _, key := range []string{"traceparent", "tracestate"} {
		for _, value := range metadata.ValueFromIncomingContext(ctx, key) {
			ctx = metadata.AppendToOutgoingContext(ctx, key, value)
		}
	}
	return ctx
}

func main() {
	port := flag.Int("port", 50051, "loopback port to listen on; 0 takes a free one")
	then := flag.String("then", "", "another greeter, as HOST:PORT, which every greeting is passed on to")
	flag.Parse()
	answers := &greeter{}
	if *then != "" {
		connection, err := grpc.NewClient(*then, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			log.Fatal(err)
		}
		defer connection.Close()
		answers.then = helloworld.NewGreeterClient(connection)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	helloworld.RegisterGreeterServer(server, answers)
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ended, server.GracefulStop)
	fmt.Printf("greets at %s\n", listener.Addr())
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}
