//! What versions of arguments cost: to pack, check and decode the arguments of a call, in instructions, beside a method whose
//! arguments have no versions.
//!
//! `cargo bench -p rpc-benches --bench versions -- [--check]`
//!
//! It runs itself under `valgrind --tool=callgrind`, which counts the same however busy the machine is.

use rpc_core::__private::{Frame, Prepared};
use rpc_core::{Context, rpc_api, transport};
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, ExitCode};

/// How much more a method with versions may take.
const CRITERION: f64 = 1.05;

/// Two methods with the same five arguments, two of which came later in the one, and a newer version for all that is plain.
#[rpc_api(version = "2.4", topic = "bench")]
trait Guests {
    #[rpc(since = "2.4")]
    async fn plain(
        &self,
        ctx: &Context,
        id: u64,
        name: &str,
        host: &str,
        clean: Option<bool>,
        limit: u32,
    );

    async fn versioned(
        &self,
        ctx: &Context,
        id: u64,
        name: &str,
        host: &str,
        #[rpc(since = "2.3")] clean: Option<bool>,
        #[rpc(since = "2.4", default)] limit: u32,
    );
}

/// What is counted: one call of each.
const CASES: [(&str, Case); 3] = [
    ("plain", |client, ctx| {
        let mut call = client.plain(ctx, 7, "guest-7", "node-1.example", Some(true), 12);
        through(&mut call, 0)
    }),
    ("both set", |client, ctx| {
        let call = client.versioned(ctx, 7, "guest-7", "node-1.example");
        through(&mut call.clean(true).limit(12).call, 1)
    }),
    ("none set", |client, ctx| {
        let mut call = client.versioned(ctx, 7, "guest-7", "node-1.example");
        through(&mut call.call, 1)
    }),
];

type Case = fn(&GuestsClient, &Context) -> Result<u64, String>;

/// Checks and seals a call, and decodes it as the generated dispatcher does.
fn through(call: &mut impl Prepared, method: usize) -> Result<u64, String> {
    let request = call.take().ok_or("it was sent")?;
    let (version, bytes) = request.sealed().map_err(|error| error.to_string())?;
    let frame = Frame::new(&guests_api::API.methods()[method], version, bytes);
    let [id, name, host, clean, limit] = Frame::args(&frame).ok().ok_or("the arguments")?;
    let decoded = (
        id.decode::<u64>().ok(),
        name.decode::<&str>().ok(),
        host.decode::<&str>().ok(),
        clean.decode::<Option<bool>>().ok(),
        limit.decode::<u32>().ok(),
    );
    match black_box(decoded) {
        (Some(id), Some(_), Some(_), Some(_), Some(limit)) => Ok(id + u64::from(limit)),
        _ => Err("an argument".into()),
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["count", case, calls] => count(case, calls),
        _ => compare(words.contains(&"--check")),
    };
    done.unwrap_or_else(|problem| {
        let _ = writeln!(std::io::stderr(), "error: {problem}");
        ExitCode::FAILURE
    })
}

/// Makes so many calls, to be counted from outside.
fn count(case: &str, calls: &str) -> Result<ExitCode, String> {
    let calls: u64 = calls.parse().map_err(|_| "no number of calls")?;
    let (_, one) = CASES
        .iter()
        .find(|(name, _)| *name == case)
        .ok_or("no such case")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let _inside = runtime.enter();
    let client = GuestsClient::new(transport::memory("bench-versions"));
    let ctx = Context::new();
    let mut sum = 0;
    for _ in 0..calls {
        sum += one(&client, &ctx)?;
    }
    black_box(sum);
    Ok(ExitCode::SUCCESS)
}

fn compare(check: bool) -> Result<ExitCode, String> {
    let mut report =
        String::from("instructions for a call with five arguments: pack, check, decode\n\n");
    let (mut floor, mut missed) = (0.0, false);
    for (case, _) in CASES {
        // what is the same whatever the number of calls falls out of the difference
        let [few, many] = [1_000, 11_000].map(|calls| instructions(case, calls));
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let one = (many? - few?) as f64 / 10_000.0;
        if floor == 0.0 {
            floor = one;
        }
        let ratio = one / floor;
        missed |= ratio > CRITERION;
        let _ = writeln!(report, "{case:<10} {one:>8.0}   {ratio:.3}");
    }
    let verdict = if missed { "MISS" } else { "pass" };
    let _ = writeln!(report, "\nat most {CRITERION}: {verdict}");
    let _ = std::io::stdout().write_all(report.as_bytes());
    Ok(if check && missed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// How many instructions a run of this program takes.
fn instructions(case: &str, calls: u32) -> Result<u64, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(own)
        .args(["count", case, &calls.to_string()])
        .output()
        .map_err(|error| format!("valgrind can't be run: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("the run failed: {said}"));
    }
    said.lines()
        .find_map(|line| line.split("Collected : ").nth(1))
        .and_then(|count| count.trim().parse().ok())
        .ok_or_else(|| format!("valgrind did not say how many: {said}"))
}
