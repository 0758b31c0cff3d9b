"""redis-py does to a server what applications do with it.

usage: redis_py.py PORT               every part but the last
       redis_py.py PORT SENTINEL...   find the master by Sentinel, write, say so, and write again once it was replaced
Prints a line for each part; ends with an error at the first surprise.
"""

import sys
import threading

import redis
from redis.sentinel import Sentinel


def strings(db):
    assert db.set("k", "v", ex=100) and db.get("k") == "v" and 0 < db.ttl("k") <= 100
    assert db.set("k", "w", nx=True) is None and db.getset("k", "w") == "v"
    assert db.incrby("n", 40) == 40 and db.incrbyfloat("n", 1.5) == 41.5
    assert db.mset({"a": "1", "b": "2"}) and db.mget("a", "b", "none") == ["1", "2", None]
    assert db.append("k", "x" * 100_000) == 100_001 and db.strlen("k") == 100_001
    assert sorted(db.scan_iter(match="[abkn]", count=2)) == ["a", "b", "k", "n"]


def collections(db):
    assert db.rpush("list", *range(1000)) == 1000 and db.lrange("list", -2, -1) == ["998", "999"]
    assert db.lpop("list", 2) == ["0", "1"] and db.lpos("list", "500") == 498
    assert db.sadd("set", "x", "y", "z") == 3 and db.smembers("set") == {"x", "y", "z"}
    assert db.smismember("set", ["x", "q"]) == [1, 0] and db.sinter("set", "set") == {"x", "y", "z"}
    assert db.hset("hash", mapping={"f": "1", "g": "2"}) == 2 and db.hgetall("hash") == {"f": "1", "g": "2"}
    assert db.hincrby("hash", "f", 2) == 3 and sorted(dict(db.hscan_iter("hash"))) == ["f", "g"]
    assert db.zadd("board", {"ann": 3.5, "bob": 1, "cid": 2}) == 3
    ranked = db.zrange("board", 0, -1, withscores=True)
    assert [(name, score) for name, score in ranked] == [("bob", 1.0), ("cid", 2.0), ("ann", 3.5)], ranked
    assert db.zincrby("board", 10, "bob") == 11.0 and db.zrevrank("board", "bob") == 0
    assert db.geoadd("towns", (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")) == 2
    assert 166.2 < db.geodist("towns", "Palermo", "Catania", unit="km") < 166.3
    assert db.pfadd("seen", *range(1000)) == 1 and 950 < db.pfcount("seen") < 1050
    assert db.setbit("bits", 1_000_000, 1) == 0 and db.bitcount("bits") == 1


def pipelines(db):
    with db.pipeline(transaction=False) as pipe:
        for n in range(10_000):
            pipe.set(f"p:{n}", n)
        assert all(pipe.execute())
    with db.pipeline(transaction=False) as pipe:
        for n in range(10_000):
            pipe.get(f"p:{n}")
        assert pipe.execute() == [str(n) for n in range(10_000)]


def transactions(db):
    db.set("balance", 10)

    def pay(pipe):
        left = int(pipe.get("balance")) - 3
        pipe.multi()
        pipe.set("balance", left)
        pipe.rpush("paid", 3)

    assert db.transaction(pay, "balance") == [True, 1] and db.get("balance") == "7"
    with db.pipeline() as pipe:
        pipe.watch("balance")
        db.set("balance", 1)
        pipe.multi()
        pipe.set("balance", 2)
        try:
            pipe.execute()
            raise AssertionError("a watched key changed")
        except redis.WatchError:
            pass
    try:
        db.lpush("balance", 1)
        raise AssertionError("a string is no list")
    except redis.ResponseError as error:
        assert str(error).startswith("WRONGTYPE"), error


def messages(db):
    listener = db.pubsub()
    listener.subscribe("news")
    listener.psubscribe("n*")
    kinds = [listener.get_message(timeout=10)["type"] for _ in range(2)]
    assert kinds == ["subscribe", "psubscribe"], kinds
    assert db.publish("news", "hello") == 2
    heard = [listener.get_message(timeout=10) for _ in range(2)]
    assert [(message["type"], message["data"]) for message in heard] == [("message", "hello"), ("pmessage", "hello")]
    listener.close()


def streams(db):
    ids = [db.xadd("log", {"n": n, "who": "ann"}) for n in range(10)]
    assert db.xlen("log") == 10 and db.xrange("log", ids[3], ids[4])[1][1] == {"n": "4", "who": "ann"}
    assert db.xgroup_create("log", "workers", id="0")
    [[_, taken]] = as_pairs(db.xreadgroup("workers", "one", {"log": ">"}, count=4))
    assert [entry[0] for entry in taken] == ids[:4]
    assert db.xack("log", "workers", *ids[:3]) == 3
    assert db.xpending("log", "workers")["pending"] == 1
    claimed = db.xautoclaim("log", "workers", "two", min_idle_time=0)
    assert [entry[0] for entry in claimed[1]] == [ids[3]], claimed
    assert db.xinfo_groups("log")[0]["lag"] == 6
    assert db.xtrim("log", maxlen=2, approximate=False) == 8


def as_pairs(found):
    """What XREADGROUP gives: pairs in RESP2, a map in RESP3."""
    return [[name, value[0]] for name, value in found.items()] if isinstance(found, dict) else found


def blocking(db, port, protocol):
    assert db.blpop("queue", timeout=0.05) is None
    got = []

    def wait():
        other = connect(port, protocol)
        got.append(other.blpop(["queue", "other"], timeout=20))
        got.append(other.bzpopmin("ranks", timeout=20))
        got.append(other.blmove("from", "to", timeout=20))
        got.append(as_pairs(other.xread({"events": "$"}, block=20_000))[0][0])

    waiter = threading.Thread(target=wait)
    waiter.start()
    for feed in (
        lambda: db.rpush("queue", "job"),
        lambda: db.zadd("ranks", {"low": 1}),
        lambda: db.rpush("from", "moved"),
        lambda: db.xadd("events", {"a": 1}),
    ):
        until(lambda: db.info("clients")["blocked_clients"] == 1)
        feed()
    waiter.join(30)
    assert [list(one) if isinstance(one, (list, tuple)) else one for one in got] == [
        ["queue", "job"],
        ["ranks", "low", 1.0],
        "moved",
        "events",
    ], got


def until(holds):
    """Asks until it is so."""
    waiting = threading.Event()
    for _ in range(4000):
        if holds():
            return
        waiting.wait(0.005)
    raise AssertionError("it never came to be")


def connect(port, protocol):
    return redis.Redis(port=port, protocol=protocol, decode_responses=True)


def everything(port):
    for protocol in (2, 3):
        db = connect(port, protocol)
        db.flushall()
        for part in (strings, collections, pipelines, transactions, messages, streams):
            part(db)
            print(f"RESP{protocol} {part.__name__}", flush=True)
        blocking(db, port, protocol)
        print(f"RESP{protocol} blocking", flush=True)


def sentinels(ports):
    found = Sentinel([("127.0.0.1", port) for port in ports], socket_timeout=5, decode_responses=True)
    master = found.master_for("set")
    until(lambda: tries(lambda: master.set("before", "1")))
    before = master.connection_pool.get_master_address()
    print("written to", before[1], flush=True)
    assert sys.stdin.readline() == "killed\n"
    until(lambda: tries(lambda: master.set("after", "2")) and master.connection_pool.get_master_address() != before)
    assert master.mget("before", "after") == ["1", "2"]
    replica = found.slave_for("set")
    until(lambda: tries(lambda: replica.get("after") == "2"))
    print("written to", master.connection_pool.get_master_address()[1], flush=True)


def tries(act):
    try:
        return act()
    except (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError, redis.sentinel.MasterNotFoundError):
        return False


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sentinels([int(port) for port in sys.argv[2:]])
    else:
        everything(int(sys.argv[1]))
