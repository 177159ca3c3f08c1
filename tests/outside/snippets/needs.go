// Package snippets is empty: it names what the page's programs in Go need, so that the lock file has it.
package snippets

import (
	_ "github.com/rabbitmq/amqp091-go"
	_ "github.com/twmb/franz-go/pkg/kgo"
	_ "github.com/twmb/franz-go/pkg/kversion"
	_ "google.golang.org/grpc"
	_ "google.golang.org/grpc/examples/helloworld/helloworld"
)
