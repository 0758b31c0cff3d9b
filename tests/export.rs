//! Exported sets run without rctl: real redis-servers start from the files, and replicate.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]

#[expect(dead_code, reason = "shared with other tests")]
mod rig;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rig::{World, wait_until};

/// Servers that end with the test.
struct Servers(Vec<Child>);

impl Drop for Servers {
    fn drop(&mut self) {
        for server in &mut self.0 {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn ask(port: u16, line: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return String::new() };
    let _ = stream.set_read_timeout(Some(Duration::from_millis(500)));
    let _ = stream.write_all(format!("{line}\r\n").as_bytes());
    // One read: what is awaited is asked again and again, and a Sentinel takes no QUIT.
    let mut reply = [0; 1 << 16];
    let count = stream.read(&mut reply).unwrap_or(0);
    String::from_utf8_lossy(&reply[..count]).into_owned()
}

fn set(world: &World) -> PathBuf {
    let (base, path) = (world.base, world.dir.path().join("lab.toml"));
    let text = format!(
        "[defaults]\npersistence = \"aof\"\nconfig = {{ repl-backlog-size = \"2mb\" }}\n[[node]]\nport = {base}\n[[node]]\n\
         port = {}\nreplica-of = {base}\n[sentinel]\ncount = 1\nport = {}\ndown-after = \"500ms\"\n",
        base + 1,
        base + 5
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn replicates(world: &World) {
    let (master, replica) = (world.base, world.base + 1);
    wait_until("the replica follows", || ask(replica, "INFO replication").contains("master_link_status:up"));
    assert!(ask(master, "SET name leon").starts_with("+OK"));
    wait_until("the replica has it", || ask(replica, "GET name").contains("leon"));
    assert!(ask(replica, "CONFIG GET repl-backlog-size").contains("2097152"), "directives are kept");
    wait_until("the Sentinel knows the replica", || {
        ask(world.base + 5, "SENTINEL MASTERS").contains("num-slaves\r\n$1\r\n1")
    });
}

fn server(dir: &Path, program: &str, file: &str) -> Child {
    Command::new(program).arg(file).current_dir(dir).stdout(Stdio::null()).spawn().unwrap()
}

#[test]
fn real_servers_start_from_the_exported_files() {
    if !rig::redis_is_there("export") {
        return;
    }
    let world = World::new();
    let file = set(&world);
    let out = world.dir.path().join("conf");
    let words = ["export", "conf", file.to_str().unwrap(), "-o", out.to_str().unwrap()];
    world.ok(&words);
    assert_eq!(world.code(&words), 7, "what is there is not overwritten");
    let mut servers = Servers(Vec::new());
    for port in [world.base, world.base + 1] {
        std::fs::create_dir(out.join(format!("data-{port}"))).unwrap();
        servers.0.push(server(&out, "redis-server", &format!("node-{port}.conf")));
    }
    wait_until("the master answers", || ask(world.base, "PING").contains("PONG"));
    servers.0.push(server(&out, "redis-sentinel", &format!("sentinel-{}.conf", world.base + 5)));
    replicates(&world);
}

#[test]
fn the_exported_script_starts_and_stops_real_servers() {
    if !rig::redis_is_there("export") {
        return;
    }
    let world = World::new();
    let script = world.ok(&["export", "sh", set(&world).to_str().unwrap()]);
    let path = world.dir.path().join("lab.sh");
    std::fs::write(&path, script).unwrap();
    let run = |word: &str| {
        let mut command = Command::new("sh");
        command.arg(&path).arg(word).current_dir(world.dir.path());
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap()
    };
    assert!(run("start").success());
    replicates(&world);
    assert!(run("stop").success());
    wait_until("nobody answers", || (world.base..world.base + 6).all(|port| ask(port, "PING").is_empty()));
    assert_eq!(run("sideways").code(), Some(2));
}
