//! The full sync of keys of every type, to one replica and to two: seconds from REPLICAOF to everybody holding everything,
//! and the longest turn that our master's own INFO tells of.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use crate::server::{Server, ask};
use crate::{Outcome, PATIENCE, compare};

/// Each server's quickest way: a snapshot over the socket at once, loaded from the socket.
const QUICK: [&[&str]; 2] = [
    &["--repl-diskless-sync-delay", "0"],
    &["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", "--repl-diskless-load", "swapdb"],
];

pub(crate) fn full_syncs(rounds: usize, keys: u32) -> Outcome<()> {
    for replicas in [1, 2] {
        let title = format!("full sync to {replicas} of {keys} mixed keys, s");
        let mut longest = 0;
        compare(&title, rounds, 1e9, |which| {
            let master = Server::start_with(which, QUICK[which])?;
            fill(&master, keys)?;
            let wanted = size(&mut master.connect()?)?;
            let replicas: Vec<Server> =
                (0..replicas).map(|_| Server::start_with(which, QUICK[which])).collect::<Outcome<_>>()?;
            let mut lines = replicas.iter().map(Server::connect).collect::<Outcome<Vec<_>>>()?;
            if which == 0 {
                ask(&mut master.connect()?, "CONFIG RESETSTAT")?;
            }
            let begun = Instant::now();
            for line in &mut lines {
                ask(line, &format!("REPLICAOF 127.0.0.1 {}", master.port))?;
            }
            for line in &mut lines {
                while !ask(line, "INFO replication")?.contains("master_link_status:up")
                    || size(line)? != wanted
                {
                    if begun.elapsed() > PATIENCE * 4 {
                        return Err("a full sync does not end".into());
                    }
                    std::thread::yield_now();
                }
            }
            let took = u64::try_from(begun.elapsed().as_nanos())?;
            if which == 0 {
                longest = longest.max(longest_turn_us(&ask(&mut master.connect()?, "INFO")?));
            }
            Ok(took)
        })?;
        println!("{:<26}{longest:>12}", "  our longest turn, us");
    }
    Ok(())
}

fn longest_turn_us(info: &str) -> u64 {
    let line = info.lines().find_map(|line| line.strip_prefix("longest_turn_usec:"));
    line.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

fn size(line: &mut TcpStream) -> Outcome<u64> {
    let reply = ask(line, "DBSIZE")?;
    Ok(reply.trim_start_matches(':').trim().parse()?)
}

/// Half of the keys are strings of 100 bytes, the others small hashes, lists, sets and sorted sets; then there is one large
/// one of each type, and a stream.
fn fill(server: &Server, keys: u32) -> Outcome<()> {
    let mut line = server.connect()?;
    let mut bytes = Vec::new();
    let mut waiting = 0;
    let mut send = |line: &mut TcpStream, words: &[&str], last: bool| -> Outcome<()> {
        if !words.is_empty() {
            write!(bytes, "*{}\r\n", words.len())?;
            for word in words {
                write!(bytes, "${}\r\n{word}\r\n", word.len())?;
            }
            waiting += 1;
        }
        if waiting >= 1000 || last {
            line.write_all(&bytes)?;
            bytes.clear();
            lines(line, std::mem::take(&mut waiting))?;
        }
        Ok(())
    };
    let value = "v".repeat(100);
    for n in 0..keys {
        let (key, id) = (format!("key:{n:010}"), n.to_string());
        let words: &[&str] = match n % 8 {
            0 => &["HSET", &key, "name", &id, "mail", "ann@example.org", "age", "37"],
            1 => &["RPUSH", &key, &id, "two", "three", "4", "5"],
            2 => &["SADD", &key, &id, "12", "13", "14"],
            3 => &["ZADD", &key, "1", &id, "2", "two", "3.5", "three"],
            _ => &["SET", &key, &value],
        };
        send(&mut line, words, false)?;
    }
    for n in 0..keys / 10 {
        let (member, id) = (format!("member:{n:08}"), n.to_string());
        send(&mut line, &["HSET", "big:hash", &member, "value"], false)?;
        send(&mut line, &["RPUSH", "big:list", &member], false)?;
        send(&mut line, &["SADD", "big:set", &member], false)?;
        send(&mut line, &["ZADD", "big:zset", &id, &member], false)?;
        send(&mut line, &["XADD", "big:stream", "*", "member", &member], false)?;
    }
    send(&mut line, &[], true)
}

/// Reads the replies of `count` requests, each of which is one line or, from XADD, two.
fn lines(line: &mut TcpStream, count: usize) -> Outcome<()> {
    let mut left = count;
    let mut buffer = [0; 16 << 10];
    let mut rest = Vec::new();
    while left > 0 {
        let read = line.read(&mut buffer)?;
        if read == 0 {
            return Err("the server went away".into());
        }
        rest.extend_from_slice(&buffer[..read]);
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let text: Vec<u8> = rest.drain(..=end).collect();
            match text.first() {
                Some(b'-') => return Err(String::from_utf8_lossy(&text).into_owned().into()),
                // The text of a bulk reply follows its length.
                Some(b'$') => {}
                _ => left -= 1,
            }
        }
    }
    Ok(())
}
