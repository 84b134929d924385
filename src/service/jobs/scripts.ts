/**
 * What changes a job in Redis, each step a Lua script, so that nobody sees half of it. Keys, all behind the prefix P:
 *
 *     job:ID            hash: client, tenant, priority, callback, created, finished, state, total, open, bytes, idem,
 *                       turn, digests (of the requests, in their order, while the job is not finished),
 *                       rN where a worker is at item N, iN the finished item N (a JobItem in protobuf encoding)
 *     job:ID:requests   hash: digest → CompileRequest; gone when the job is finished
 *     job:ID:events     stream: `i` N (item N was finished), `f` (the job was)
 *     jobs:load         hash: items, bytes, and c:CLIENT: what is open
 *     jobs:expiry       sorted set: job by when it is forgotten;  jobs:unqueued: by when it was kept, tasks not yet queued
 *     jobs:outbox       sorted set: finished jobs whose webhook is not yet queued
 *     jobs:turn, jobs:turns   the number that is served, and each flow's last (turns.ts)
 *     idem:NAME         job and fingerprint of an idempotency key
 *
 * None of them has a time to live: a Redis that evicts what has one (volatile-lru) gives up cached answers alone.
 */
import { STATE } from './job.js';

const COMMON = `
local P = ARGV[1]
local id = ARGV[2]
local job = P .. 'job:' .. id
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function count(client, items, bytes)
  redis.call('HINCRBY', P .. 'jobs:load', 'items', items)
  redis.call('HINCRBY', P .. 'jobs:load', 'bytes', bytes)
  if redis.call('HINCRBY', P .. 'jobs:load', 'c:' .. client, items) <= 0 then
    redis.call('HDEL', P .. 'jobs:load', 'c:' .. client)
  end
end
local function finish(state, retention)
  local told = redis.call('HMGET', job, 'client', 'open', 'bytes', 'callback')
  count(told[1], 0 - told[2], 0 - told[3])
  redis.call('HSET', job, 'state', state, 'finished', now, 'open', 0)
  redis.call('HDEL', job, 'digests')
  redis.call('DEL', job .. ':requests')
  redis.call('XADD', job .. ':events', '*', 'f', '')
  redis.call('ZADD', P .. 'jobs:expiry', now + retention, id)
  redis.call('ZREM', P .. 'jobs:unqueued', id)
  if told[4] ~= '' then redis.call('ZADD', P .. 'jobs:outbox', now, id) end
end
`;

/**
 * P id client tenant priority callback total bytes idem fingerprint retention maxItems maxClient maxBytes flow cost digests
 * → 'known' id fingerprint | 'full' | 'client' | 'kept' turn. The requests lie under job:ID:requests already.
 */
export const SUBMIT = `${COMMON}
local client, total, bytes = ARGV[3], tonumber(ARGV[7]), tonumber(ARGV[8])
local idem = P .. 'idem:' .. ARGV[9]
if ARGV[9] ~= '' then
  local known = redis.call('HMGET', idem, 'job', 'fingerprint')
  if known[1] then return {'known', known[1], known[2]} end
end
local load = redis.call('HMGET', P .. 'jobs:load', 'items', 'bytes', 'c:' .. client)
local items = tonumber(load[1] or '0')
if items + total > tonumber(ARGV[12]) or tonumber(load[2] or '0') + bytes > tonumber(ARGV[14]) then return {'full'} end
if tonumber(load[3] or '0') + total > tonumber(ARGV[13]) then return {'client'} end
if items == 0 then redis.call('DEL', P .. 'jobs:turn', P .. 'jobs:turns') end
local served = tonumber(redis.call('GET', P .. 'jobs:turn') or '0')
local last = tonumber(redis.call('ZSCORE', P .. 'jobs:turns', ARGV[15]) or '0')
local first = math.max(served, last) + ARGV[16]
redis.call('ZADD', P .. 'jobs:turns', first + (total - 1) * ARGV[16], ARGV[15])
redis.call('HSET', job, 'client', client, 'tenant', ARGV[4], 'priority', ARGV[5], 'callback', ARGV[6], 'created', now,
  'finished', '', 'state', ${STATE.QUEUED}, 'total', total, 'open', total, 'bytes', bytes, 'idem', ARGV[9], 'turn', first,
  'digests', ARGV[17])
redis.call('PERSIST', job .. ':requests')
if ARGV[9] ~= '' then redis.call('HSET', idem, 'job', id, 'fingerprint', ARGV[10]) end
count(client, total, bytes)
redis.call('ZADD', P .. 'jobs:expiry', now + ARGV[11], id)
redis.call('ZADD', P .. 'jobs:unqueued', now, id)
return {'kept', tostring(first)}`;

/** P id index turn digest → the request of an item that is to be made; nil where it is finished or nobody wants it any more. */
export const BEGIN = `${COMMON}
local state = redis.call('HGET', job, 'state')
if not state or tonumber(state) >= ${STATE.SUCCEEDED} or redis.call('HEXISTS', job, 'i' .. ARGV[3]) == 1 then return nil end
if tonumber(state) == ${STATE.QUEUED} then redis.call('HSET', job, 'state', ${STATE.RUNNING}) end
redis.call('HSET', job, 'r' .. ARGV[3], 1)
if tonumber(ARGV[4]) > tonumber(redis.call('GET', P .. 'jobs:turn') or '0') then
  redis.call('SET', P .. 'jobs:turn', ARGV[4])
  redis.call('ZREMRANGEBYSCORE', P .. 'jobs:turns', '-inf', ARGV[4])
end
return redis.call('HGET', job .. ':requests', ARGV[5])`;

/** P id index item failed retention → 0 where it was finished before, 1 now, 2 with it the job. */
export const RECORD = `${COMMON}
local state = redis.call('HGET', job, 'state')
if not state or tonumber(state) >= ${STATE.SUCCEEDED} then return 0 end
redis.call('HDEL', job, 'r' .. ARGV[3])
if redis.call('HSETNX', job, 'i' .. ARGV[3], ARGV[4]) == 0 then return 0 end
count(redis.call('HGET', job, 'client'), -1, 0)
if ARGV[5] == '1' then redis.call('HSET', job, 'anyfailed', 1) end
redis.call('XADD', job .. ':events', '*', 'i', ARGV[3])
redis.call('ZADD', P .. 'jobs:expiry', now + ARGV[6], id)
local open = redis.call('HINCRBY', job, 'open', -1)
if open == 0 then
  finish(redis.call('HEXISTS', job, 'anyfailed') == 1 and ${STATE.FAILED} or ${STATE.SUCCEEDED}, ARGV[6])
end
redis.call('PUBLISH', P .. 'job:' .. id, '')
return open == 0 and 2 or 1`;

/** P id retention → 1 where it was not finished. */
export const CANCEL = `${COMMON}
local state = redis.call('HGET', job, 'state')
if not state or tonumber(state) >= ${STATE.SUCCEEDED} then return 0 end
finish(${STATE.CANCELLED}, ARGV[3])
redis.call('PUBLISH', P .. 'job:' .. id, '')
redis.call('PUBLISH', P .. 'jobs:cancel', id)
return 1`;

/** P '' → ids of jobs that were forgotten now: those whose time is over. */
export const SWEEP = `${COMMON}
local over = redis.call('ZRANGEBYSCORE', P .. 'jobs:expiry', '-inf', now, 'LIMIT', 0, 100)
for _, old in ipairs(over) do
  id = old
  job = P .. 'job:' .. id
  local state = redis.call('HGET', job, 'state')
  if state and tonumber(state) < ${STATE.SUCCEEDED} then finish(${STATE.CANCELLED}, 0) end
  local idem = redis.call('HGET', job, 'idem')
  if idem and idem ~= '' then redis.call('DEL', P .. 'idem:' .. idem) end
  redis.call('DEL', job, job .. ':requests', job .. ':events')
  redis.call('ZREM', P .. 'jobs:expiry', id)
  redis.call('ZREM', P .. 'jobs:outbox', id)
end
return over`;
