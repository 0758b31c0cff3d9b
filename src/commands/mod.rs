//! One file per verb: its arguments, `run` to a value, `paint` of that value.
