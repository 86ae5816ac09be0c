#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rpc_fuzz_targets::run("curve", bytes));
