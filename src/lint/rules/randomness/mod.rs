//! Rules about random values and keys.

pub(super) mod database_init;
pub(super) mod generated_key;
pub(super) mod package_makes_secrets;
pub(super) mod random_value;
