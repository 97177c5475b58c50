// Module stranger uses package fakesmtp as any project would that is not ours; a
// test of that package builds and tests it.
module stranger.example/notify

go 1.26.0

require github.com/postonce/postonce v0.0.0

require (
	github.com/emersion/go-sasl v0.0.0-20241020182733-b788ff22d5a6 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/postonce/postonce => ../../..
