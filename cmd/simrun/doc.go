// Simrun is the harness's command line: it runs relays in the simulator and
// says what it found.
//
//	simrun                          run the scenario library
//	simrun run PATH|NAME...         run some scenarios
//	simrun replay PATH|NAME|SEED    tell one run as a story; -v prints its trace
//	simrun trace PATH|NAME|SEED     make a web page of one run
//	simrun list                     list the library
//	simrun fmt PATH...              format scenario files
//	simrun mutants                  hunt the relays that are wrong on purpose
//	simrun coverage                 say what scenarios reach, and what not
//	simrun hashes, determinism      compare the traces of two processes
//	simrun exhaust                  search all orders of small worlds of the core
//	simrun check FILE               judge a trace or a log of facts
//
// It is the place where the relay and the simulator meet; neither knows the
// other. Worlds run in worker processes of this same program.
package main
