// A worker on an exchange of a run: takes what the exchange hands on by one key, and publishes what becomes of it by another.
//
//	go run . [-address 127.0.0.1:5672] [-exchange events] [-take orders.created] [-give orders.priced]
//
// Its queue is its own: the broker names it, and removes it with the connection. What it is given of traceparent and tracestate it
// hands on, so that what it publishes is in the tree of what it took. Prints a line of JSON for each message when the broker has
// confirmed what became of it. At a broker that is not built in, the exchange's name has hopscope.<run>. before it.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	amqp "github.com/rabbitmq/amqp091-go"
)

func main() {
	address := flag.String("address", "127.0.0.1:5672", "where the run's broker is")
	exchange := flag.String("exchange", "events", "the exchange")
	take := flag.String("take", "orders.created", "binding key of what is taken")
	give := flag.String("give", "orders.priced", "routing key of what is published")
	flag.Parse()
	connection, err := amqp.Dial("amqp://guest:guest@" + *address)
	check(err)
	defer connection.Close()
	channel, err := connection.Channel()
	check(err)
	check(channel.Confirm(false))
	queue, err := channel.QueueDeclare("", false, true, true, false, nil)
	check(err)
	check(channel.QueueBind(queue.Name, *take, *exchange, false, nil))
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	deliveries, err := channel.ConsumeWithContext(ended, queue.Name, "", false, true, false, false, nil)
	check(err)
	fmt.Printf("takes %s from %s\n", *take, *exchange)
	lines := json.NewEncoder(os.Stdout)
	for delivery := range deliveries {
		result := amqp.Publishing{
			ContentType: "text/plain",
			Headers:     carried(delivery.Headers),
			Body:        append([]byte("priced: "), delivery.Body...),
		}
		confirm, err := channel.PublishWithDeferredConfirm(*exchange, *give, false, false, result)
		check(err)
		if !confirm.Wait() {
			log.Fatalf("the broker did not take what became of %q", delivery.Body)
		}
		check(delivery.Ack(false))
		check(lines.Encode(map[string]any{"body": string(delivery.Body), "traceparent": delivery.Headers["traceparent"]}))
	}
}

// carried is what a message says of the trace that it is in.
func carried(headers amqp.Table) amqp.Table {
	handed := amqp.Table{}
	for _, name := range []string{"traceparent", "tracestate"} {
		if value, given := headers[name]; given {
			handed[name] = value
		}
	}
	return handed
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
