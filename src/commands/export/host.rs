//! For machines without containers: a shell script, and units of systemd.

use std::fmt::Write as _;

use super::Exported;
use super::conf::{Local, files, node_conf};
use crate::topology::Topology;

/// A script that starts and stops the set, with nothing but a server on the PATH. A server that writes its first
/// append-only file refuses to end, so it is asked again until it is gone.
pub(super) fn script(topology: &Topology) -> Exported {
    let name = &topology.name;
    let mut text = format!(
        "#!/bin/sh\n\
         # {name}: sh {name}.sh start, sh {name}.sh stop. SERVER names the program, DIR where the data is kept.\n\
         set -eu\n\
         SERVER=${{SERVER:-$(command -v valkey-server || command -v redis-server)}}\n\
         DIR=${{DIR:-$PWD/{name}}}\n\n\
         start() {{\n  mkdir -p \"$DIR\"\n  cd \"$DIR\"\n"
    );
    for (file, conf) in files(topology) {
        let Some(handle) = file.strip_suffix(".conf") else { continue };
        let sentinel = if handle.starts_with("sentinel") { " --sentinel" } else { "" };
        let data = handle.replace("node-", "data-");
        let _ = write!(
            text,
            "  mkdir -p {data}\n  test -e {file} || cat > {file} <<'END-OF-FILE'\n{conf}END-OF-FILE\n  \
             \"$SERVER\" \"$DIR/{file}\"{sentinel} --daemonize yes --pidfile \"$DIR/{handle}.pid\" --logfile \"$DIR/{handle}.log\"\n"
        );
    }
    text.push_str(
        "}\n\nstop() {\n  for pid in \"$DIR\"/*.pid; do\n    test -e \"$pid\" || continue\n    id=$(cat \"$pid\")\n    tries=50\n    while kill \"$id\" 2>/dev/null && test $tries -gt 0; do\n      tries=$((tries - 1))\n      sleep 0.2\n    done\n  done\n}\n\n\
         case ${1:-} in\n  start) start ;;\n  stop) stop ;;\n  *) echo \"usage: sh $0 start|stop\" >&2; exit 2 ;;\nesac\n",
    );
    (format!("{name}.sh"), text)
}

/// A unit for each node and each Sentinel, and their configuration files for `/etc/redis`.
pub(super) fn units(topology: &Topology) -> Vec<Exported> {
    let name = &topology.name;
    let mut exported = Vec::new();
    for (file, conf) in files(topology) {
        let Some(handle) = file.strip_suffix(".conf") else { continue };
        let sentinel = handle.starts_with("sentinel");
        let port = handle.rsplit('-').next().and_then(|port| port.parse().ok());
        let node = port.and_then(|port| topology.node(port)).filter(|_| !sentinel);
        let text = match node {
            Some(node) => node_conf(node, &format!("/var/lib/redis/{name}-{}", node.port), &Local),
            None => conf,
        };
        let after = match node.and_then(|node| node.replica_of) {
            Some(upstream) => format!(" {name}-node-{upstream}.service"),
            None => String::new(),
        };
        let flag = if sentinel { " --sentinel" } else { "" };
        let state = node
            .map_or_else(|| format!("redis/{name}-{handle}"), |node| format!("redis/{name}-{}", node.port));
        // Servers rewrite their files: each works on a copy of its own.
        let unit = format!(
            "[Unit]\nDescription={handle} of {name}\nAfter=network.target{after}\n\n[Service]\nType=notify\nUser=redis\n\
             StateDirectory={state}\n\
             ExecStartPre=/bin/sh -c 'test -e /var/lib/{state}/server.conf || cp /etc/redis/{name}-{file} /var/lib/{state}/server.conf'\n\
             ExecStart=/usr/bin/redis-server /var/lib/{state}/server.conf{flag} --supervised systemd --daemonize no\n\
             Restart=on-failure\nTimeoutStopSec=30\nLimitNOFILE=65535\n\n[Install]\nWantedBy=multi-user.target\n"
        );
        exported.push((format!("{name}-{handle}.service"), unit));
        exported.push((format!("{name}-{file}"), text));
    }
    exported
}
