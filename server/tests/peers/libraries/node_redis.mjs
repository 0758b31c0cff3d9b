// node-redis and ioredis do to a server what applications do with it.
//
// usage: node node_redis.mjs PORT               every part but the last, with both libraries
//        node node_redis.mjs PORT SENTINEL...   find the master by Sentinel, write, say so, and write again once it was replaced
// Prints a line for each part; ends with an error at the first surprise.

import assert from 'node:assert/strict'
import { createInterface } from 'node:readline/promises'
import Redis from 'ioredis'
import { createClient } from 'redis'

const [port, ...sentinels] = process.argv.slice(2).map(Number)

/** Asks until it is so. */
async function until(holds) {
  for (let n = 0; n < 4000; n++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error('it never came to be')
}

async function nodeRedis(RESP) {
  const url = `redis://127.0.0.1:${port}`
  const db = await createClient({ url, RESP }).connect()
  await db.flushAll()
  assert.equal(await db.set('k', 'v', { EX: 100 }), 'OK')
  assert.equal(await db.get('k'), 'v')
  assert.equal(await db.incrBy('n', 41), 41)
  assert.deepEqual(await db.mGet(['k', 'none']), ['v', null])
  const many = await Promise.all(Array.from({ length: 5000 }, (_, n) => db.set(`p:${n}`, `${n}`)))
  assert.ok(many.every((reply) => reply === 'OK'))
  assert.deepEqual({ ...(await db.multi().hSet('h', { a: '1', b: '2' }).hGetAll('h').exec())[1] }, { a: '1', b: '2' })
  assert.equal(await db.sAdd('s', ['x', 'y']), 2)
  assert.deepEqual([...(await db.sMembers('s'))].sort(), ['x', 'y'])
  await db.zAdd('z', [{ score: 1.5, value: 'one' }, { score: 3, value: 'three' }])
  assert.deepEqual(await db.zRangeWithScores('z', 0, -1), [{ value: 'one', score: 1.5 }, { value: 'three', score: 3 }])

  const listener = await db.duplicate().connect()
  const heard = new Promise((resolve) => listener.subscribe('news', resolve))
  await until(async () => (await db.publish('news', 'hello')) === 1)
  assert.equal(await heard, 'hello')
  listener.destroy()

  const first = await db.xAdd('log', '*', { n: '1' })
  await db.xGroupCreate('log', 'workers', '0')
  const taken = await db.xReadGroup('workers', 'one', { key: 'log', id: '>' })
  const entries = Array.isArray(taken) ? taken[0].messages : taken.log
  assert.equal(entries[0].id, first)
  assert.equal(await db.xAck('log', 'workers', first), 1)

  const waiter = await db.duplicate().connect()
  const job = waiter.blPop('queue', 20)
  await until(async () => /blocked_clients:1\r/.test(await db.info('clients')))
  await db.rPush('queue', 'job')
  assert.deepEqual({ ...(await job) }, { key: 'queue', element: 'job' })
  waiter.destroy()
  db.destroy()
  console.log(`node-redis RESP${RESP}`)
}

async function ioRedis() {
  const db = new Redis(port)
  await db.flushall()
  const replies = await db.pipeline().set('k', 'v').get('k').lpush('k', 'x').exec()
  assert.equal(replies[1][1], 'v')
  assert.match(replies[2][0].message, /^WRONGTYPE/)
  assert.deepEqual(await db.multi().rpush('l', 1, 2, 3).lrange('l', 0, -1).exec(), [[null, 3], [null, ['1', '2', '3']]])
  const listener = new Redis(port)
  await listener.psubscribe('n*')
  const heard = new Promise((resolve) => listener.on('pmessage', (...words) => resolve(words)))
  await db.publish('news', 'hello')
  assert.deepEqual(await heard, ['n*', 'news', 'hello'])
  listener.disconnect()
  const keys = []
  for await (const some of db.scanStream({ count: 1 })) keys.push(...some)
  assert.deepEqual([...new Set(keys)].sort(), ['k', 'l'])
  const waiter = new Redis(port)
  const popped = waiter.brpop('queue', 20)
  await until(async () => /blocked_clients:1\r/.test(await db.info('clients')))
  await db.lpush('queue', 'job')
  assert.deepEqual(await popped, ['queue', 'job'])
  waiter.disconnect()
  db.disconnect()
  console.log('ioredis')
}

async function bySentinel() {
  const db = new Redis({
    sentinels: sentinels.map((port) => ({ host: '127.0.0.1', port })),
    name: 'set',
    sentinelRetryStrategy: () => 50,
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
  })
  // Connections that break are the story here, not a mistake.
  db.on('error', () => {})
  await db.set('before', '1')
  const before = db.stream.remotePort
  console.log('written to', before)
  const lines = createInterface({ input: process.stdin })
  assert.equal(await new Promise((resolve) => lines.once('line', resolve)), 'killed')
  await until(async () => (await db.set('after', '2').catch(() => '')) === 'OK' && db.stream.remotePort !== before)
  assert.deepEqual(await db.mget('before', 'after'), ['1', '2'])
  console.log('written to', db.stream.remotePort)
  db.disconnect()
  lines.close()
}

if (sentinels.length > 0) {
  await bySentinel()
} else {
  await nodeRedis(2)
  await nodeRedis(3)
  await ioRedis()
}
process.exit(0)
