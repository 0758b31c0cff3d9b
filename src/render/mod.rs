//! Paint: values in, text out, no logic.
