# Bare `just` lists what can be done.

[private]
default:
    @just --list --unsorted

# Formatting and lints, as strict as CI
[group('every day')]
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# All tests; words after it choose, as in `just test lesson`
[group('every day')]
test *args:
    cargo test --workspace {{ args }}

# Every transcript of commands, and the table, against a real redis-server
[group('every day')]
compat:
    RCTL_REQUIRE_REDIS=1 cargo test -p rctl-server --test compat --test table -- --nocapture

# The simulated world: a seeded campaign of faults; SIM_SEED=17 tells one run in full
[group('every day')]
sim schedules='20000':
    SIM_SCHEDULES={{ schedules }} cargo test --release -p rctl-server --test sim -- --nocapture

# Each planted mistake is noticed by the simulation, at its recorded seed
[group('every day')]
mutants:
    cargo test --release -p rctl-server --features mutants --test sim mutants -- --nocapture

# Replication with redis-server 7.0 and 6.2, redis-cli and redis-sentinel, and with hostile peers
[group('every day')]
peers *args:
    RCTL_REQUIRE_REDIS=1 RCTL_REDIS_62=$(.ci/redis-6.2 target/peers) cargo test -p rctl-server --test peers -- {{ args }}

# Side by side with redis-server: processor time per operation, start, link-up, idle memory
[group('now and then')]
bench *args:
    cargo bench --bench peers -- {{ args }}

# A failover to look at, on ports from 7379
[group('now and then')]
demo:
    cargo build --release
    target/release/rctl up topologies/one-master-two-replicas.toml --port-base 7379
    target/release/rctl cli 7379 set name leon
    target/release/rctl kill 7379
    -target/release/rctl status
    target/release/rctl promote 7381
    target/release/rctl cli 7381 get name
    target/release/rctl down --purge

# All that CI runs
[group('now and then')]
ci:
    .ci/run
