//! `docs/tidegate.schema.json` is what the types say. `UPDATE=1` rewrites it.

use std::path::Path;

#[test]
fn the_schema_on_paper_is_the_schema_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tidegate.schema.json");
    let schema = serde_json::to_string_pretty(&tidegate_core::config::schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let on_paper = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        on_paper == schema,
        "docs/tidegate.schema.json is not up to date; run this with UPDATE=1"
    );
}
