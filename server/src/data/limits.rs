//! What collections need to know of the server: when a small one stops being one (the `*-max-*` directives), and how to hash.

/// Thresholds and the seed of hashes, with Redis 7.2's defaults. Sizes are in bytes unless they count entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Seed of the hashes of large sets and hashes; drawn at the start, so that nobody can choose keys that collide.
    pub seed: u64,
    /// `list-max-listpack-size`: entries of a node when positive, -1 to -5 for 4 to 64 KiB.
    pub list_node: i64,
    /// `DEBUG QUICKLIST-PACKED-THRESHOLD`: from which size on an element of a large list has a node for itself; 0 for what the
    /// node's size says.
    pub list_plain: u32,
    /// `hash-max-listpack-entries`
    pub hash_entries: usize,
    /// `hash-max-listpack-value`
    pub hash_value: usize,
    /// `set-max-intset-entries`
    pub set_ints: usize,
    /// `set-max-listpack-entries`
    pub set_entries: usize,
    /// `set-max-listpack-value`
    pub set_value: usize,
    /// `zset-max-listpack-entries`
    pub zset_entries: usize,
    /// `zset-max-listpack-value`
    pub zset_value: usize,
    /// `stream-node-max-bytes`; 0 for no limit.
    pub stream_bytes: usize,
    /// `stream-node-max-entries`; 0 for no limit.
    pub stream_entries: usize,
    /// `hll-sparse-max-bytes`
    pub hll_sparse: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            seed: 0,
            list_node: -2,
            list_plain: 0,
            hash_entries: 512,
            hash_value: 64,
            set_ints: 512,
            set_entries: 128,
            set_value: 64,
            zset_entries: 128,
            zset_value: 64,
            stream_bytes: 4096,
            stream_entries: 100,
            hll_sparse: 3000,
        }
    }
}
