//! The only crate that knows an AWS SDK: the table, the registry, ECS, the clock.
