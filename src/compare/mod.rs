//! Two images side by side: config, diff IDs, layers.
