#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_core::config::Config;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Config::parse("tidegate.yaml", text) {
        Ok(config) => drop(config.resolve("123456789012", "us-west-2")),
        Err(problems) => assert!(!problems.0.is_empty()),
    }
});
