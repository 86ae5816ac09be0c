//! What a large API costs the compiler: the user time of `cargo check` for 200 methods of three arguments in 40 versions, beside
//! 200 structs of three fields that derive serde's traits.
//!
//! `cargo bench -p rpc-benches --bench check_time -- [--rounds N] [--check]`
//!
//! Both are crates that this program writes into the target folder, with the same dependencies; each round checks the one and
//! then the other, with everything below them built before.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// How many times the user time of the structs an API may take.
const CRITERION: f64 = 2.0;

const METHODS: usize = 200;
const VERSIONS: usize = 40;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rounds = words
        .iter()
        .position(|word| word == "--rounds")
        .and_then(|at| words.get(at + 1)?.parse().ok())
        .unwrap_or(5);
    match compare(rounds) {
        Ok(passed) if passed || !words.iter().any(|word| word == "--check") => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(problem) => {
            say(&format!("error: {problem}"));
            ExitCode::FAILURE
        }
    }
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn compare(rounds: usize) -> Result<bool, String> {
    let api = Fixture::new("api", &api_source())?;
    let structs = Fixture::new("structs", &structs_source())?;
    let mut ratios = Vec::new();
    say("user time of `cargo check`, in s\n\n   api  structs  ratio");
    for _ in 0..rounds {
        let (ours, floor) = (api.check()?, structs.check()?);
        ratios.push(ours / floor);
        say(&format!(
            "{ours:>6.2}   {floor:>6.2}  {:>5.2}",
            ours / floor
        ));
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(rounds / 2).copied().ok_or("no rounds")?;
    let passed = median <= CRITERION;
    let verdict = if passed { "pass" } else { "MISS" };
    say(&format!(
        "\nmedian {median:.2}, at most {CRITERION}: {verdict}"
    ));
    Ok(passed)
}

/// A crate of its own.
struct Fixture {
    folder: PathBuf,
}

impl Fixture {
    /// Writes the crate, and builds what it needs.
    fn new(name: &str, source: &str) -> Result<Self, String> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .ok_or("no workspace")?;
        let folder = workspace.join("target/check-time").join(name);
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
             rpc-core = {{ path = {:?} }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n",
            workspace.join("rpc-core")
        );
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        std::fs::create_dir_all(folder.join("src")).map_err(failed)?;
        std::fs::write(folder.join("Cargo.toml"), manifest).map_err(failed)?;
        std::fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock")).map_err(failed)?;
        std::fs::write(folder.join("src/lib.rs"), source).map_err(failed)?;
        let fixture = Self { folder };
        fixture.check()?;
        Ok(fixture)
    }

    /// The user time of one check, in seconds.
    fn check(&self) -> Result<f64, String> {
        let source = self.folder.join("src/lib.rs");
        let mut text = std::fs::read_to_string(&source).map_err(|error| error.to_string())?;
        // what has not changed is not checked again
        text.push_str("// changed\n");
        std::fs::write(&source, text).map_err(|error| error.to_string())?;
        let before = children_user_time()?;
        let status = Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--offline"])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.folder.join("../target"))
            .env("CARGO_INCREMENTAL", "0")
            .stdout(Stdio::null())
            .status()
            .map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("`cargo check` of {} failed", self.folder.display()));
        }
        Ok(children_user_time()? - before)
    }
}

/// The user time of all processes that this one has started and that have ended, in seconds.
fn children_user_time() -> Result<f64, String> {
    /// Linux counts in these, on every architecture that it says anything about.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(|error| error.to_string())?;
    // the name of the program, in parentheses, may hold spaces
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: Option<f64> = fields
        .split_whitespace()
        .nth(13)
        .and_then(|field| field.parse().ok());
    ticks
        .map(|ticks| ticks / TICKS_PER_SECOND)
        .ok_or_else(|| "the processor time can't be read".into())
}

/// Methods that come one after another, each with an argument that came later.
fn api_source() -> String {
    let mut source = format!(
        "//! An API.\nuse rpc_core::{{Context, Never, rpc_api}};\n\n#[rpc_api(version = \"1.{}\")]\npub trait Large {{\n",
        VERSIONS - 1
    );
    for method in 0..METHODS {
        let since = method % (VERSIONS - 1);
        let later = since + 1;
        let _ = writeln!(
            source,
            "    #[rpc(since = \"1.{since}\")]\n    async fn method_{method}(&self, ctx: &Context, id: u64, name: String, \
             #[rpc(since = \"1.{later}\")] clean: Option<bool>) -> Result<u64, Never>;"
        );
    }
    source.push_str("}\n");
    source
}

fn structs_source() -> String {
    let mut source = String::from("//! Structs.\nuse serde::{Deserialize, Serialize};\n\n");
    for at in 0..METHODS {
        let _ = writeln!(
            source,
            "#[derive(Serialize, Deserialize)]\npub struct Struct{at} {{ pub id: u64, pub name: String, pub clean: Option<bool> }}"
        );
    }
    source
}
