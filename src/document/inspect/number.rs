//! Numbers in a document that every reader of JSON takes exactly.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// A number that is written as a string where not every reader would take it exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub i128);

impl Number {
    const EXACT: i128 = 1 << 53;
}

impl<T: Into<i128>> From<T> for Number {
    fn from(number: T) -> Self {
        Self(number.into())
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0) {
            Ok(number) if self.0.abs() <= Self::EXACT => serializer.serialize_i64(number),
            _ => serializer.collect_str(&self.0),
        }
    }
}

impl JsonSchema for Number {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An integer; beyond 2^53 a string of its digits.",
            "type": ["integer", "string"]
        })
    }
}
