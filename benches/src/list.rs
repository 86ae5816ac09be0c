//! The benchmarks: what is asked for, and which figures come of it.

use crate::side::{IN_FLIGHT, LARGE, SEQUENTIAL, Work};

/// One benchmark.
#[derive(Debug)]
pub struct Bench {
    pub name: &'static str,
    pub(crate) work: Work,
    pub(crate) series: &'static [Series],
}

/// A figure of each side.
#[derive(Debug)]
pub struct Series {
    pub name: &'static str,
    pub what: &'static str,
    pub unit: &'static str,
}

const fn series(name: &'static str, what: &'static str, unit: &'static str) -> Series {
    Series { name, what, unit }
}

pub const BENCHES: &[Bench] = &[
    Bench {
        name: "sequential",
        work: SEQUENTIAL,
        series: &[series(
            "sequential",
            "median time of an echo of 64 bytes, one after another",
            "µs",
        )],
    },
    Bench {
        name: "in_flight_64",
        work: IN_FLIGHT,
        series: &[
            series("in_flight_64", "echoes of 64 bytes, 64 at a time", "1/s"),
            series(
                "in_flight_64 cpu",
                "processor time for one of these, client and server",
                "µs",
            ),
            series("in_flight_64 cpu client", "the client's part of it", "µs"),
            series("in_flight_64 cpu server", "the server's part of it", "µs"),
        ],
    },
    Bench {
        name: "stream_ready",
        work: Work::StreamReady,
        series: &[series(
            "stream_ready",
            "items of a stream that has them all ready; `zeromq`: one message for each",
            "1/s",
        )],
    },
    Bench {
        name: "stream_paced",
        work: Work::StreamPaced,
        series: &[
            series(
                "stream_paced",
                "median delay of the items of a stream that has one each millisecond; `zeromq`: median time of an echo",
                "µs",
            ),
            series(
                "stream_paced alike",
                "the same; `zeromq`: of the same stream, one message for each item",
                "µs",
            ),
        ],
    },
    Bench {
        name: "cast_64",
        work: Work::Cast,
        series: &[series(
            "cast_64",
            "casts of 64 bytes by 64 tasks that each wait until theirs is accepted; `raw` and `zeromq`: messages that arrive, with no answer",
            "1/s",
        )],
    },
    Bench {
        name: "echo_1mib",
        work: LARGE,
        series: &[series(
            "echo_1mib",
            "echoes of 1 MiB, one after another; each crosses twice and counts once",
            "MiB/s",
        )],
    },
    Bench {
        name: "idle_1000",
        work: Work::Idle,
        series: &[
            series(
                "idle_1000 server",
                "resident memory of the server for each of 1,000 clients that rest, after a call",
                "KB",
            ),
            series(
                "idle_1000 client",
                "resident memory of the clients' process for each of them",
                "KB",
            ),
            series(
                "idle_1000 time",
                "until all have connected and called, one after another",
                "ms",
            ),
        ],
    },
    Bench {
        name: "servers_1000",
        work: Work::Many,
        series: &[
            series(
                "servers_1000 first",
                "from a client that has done nothing yet, with 1,000 nodes in its list, to the answer of its first call",
                "ms",
            ),
            series(
                "servers_1000 all",
                "to the answers of all 1,000, each called by its name",
                "ms",
            ),
            series(
                "servers_1000 memory",
                "resident memory of the client for each of them, afterwards",
                "KB",
            ),
            series(
                "servers_1000 call",
                "median time of an echo of 64 bytes by any of them, one after another",
                "µs",
            ),
            series(
                "servers_1000 cpu",
                "processor time of the client for one of these, 64 at a time",
                "µs",
            ),
        ],
    },
];

pub(crate) fn names() -> String {
    let names: Vec<&str> = BENCHES.iter().map(|bench| bench.name).collect();
    names.join(", ")
}
