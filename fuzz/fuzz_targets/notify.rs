#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tidegate_fuzz::{World, event};

static WORLD: LazyLock<World> = LazyLock::new(World::new);

fuzz_target!(|bytes: &[u8]| {
    let Some(event) = event(bytes) else { return };
    WORLD.ends(async |deadline| WORLD.notifier.handle(event, deadline).await);
});
