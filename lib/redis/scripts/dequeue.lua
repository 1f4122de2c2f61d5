-- dequeue: takes the oldest pending tasks and leases them to a server.
--
-- KEYS[1]  pending     list    task ids, next to run at the right
-- KEYS[2]  paused      string  exists while the queue is paused
-- KEYS[3]  active      list    ids of running tasks, newest at the left
-- KEYS[4]  lease       zset    task id -> lease expiry, epoch seconds
-- ARGV[1]  taskPrefix  a task's key is this plus its id; built here, same hash slot
-- ARGV[2]  leaseUntil  epoch seconds
-- ARGV[3]  limit       how many tasks at most, 1 to 1,000
-- ARGV[4]  owner       when the server takes them, epoch seconds, and the server, host:pid:server-id
--
-- Reply    array: a word, then id and task message of each task taken, oldest first
--   SOME     there may be more
--   DRAINED  the queue is empty now
--   PAUSED   the queue returns nothing until it is resumed
-- Cost     O(n log N), n tasks taken, N leased tasks; up to 1,000 ids without a stored task are dropped on the way
local pending, paused, active, lease = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local taskPrefix, leaseUntil, limit, owner = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

local call, pcall = redis.call, redis.pcall
-- include: lease-taken

if call('EXISTS', paused) == 1 then
  return { 'PAUSED' }
end

local reply, filled, seen, left, suspects = { 'SOME' }, 1, 0, limit, nil
while left > 0 and seen < limit + 1000 do
  -- The first write removes something, so that workers can finish stored tasks when the server is out of memory.
  local taskIds = pcall('RPOP', pending, left) or {}
  local count, gone = #taskIds, nil
  if taskIds.err then
    suspects = { pending, 'list' }
  elseif count > 0 and not leaseTaken(taskIds, leaseUntil) then
    -- Nothing can be taken while a key that must hold running tasks has a wrong type.
    for i = count, 1, -1 do
      call('RPUSH', pending, taskIds[i])
    end
    reply[1], suspects = 'DRAINED', { active, 'list', lease, 'zset' }
    break
  end
  local before = filled
  for i = 1, count do
    local taskId = taskIds[i]
    local hash = taskPrefix .. taskId
    -- A key of a wrong type is not a task either and must not stop the queue.
    local message = pcall('HGET', hash, 'msg')
    if type(message) == 'string' then
      call('HSET', hash, 'state', 'active', 'x:o', owner)
      call('HDEL', hash, 'pending_since')
      reply[filled + 1], reply[filled + 2] = taskId, message
      filled = filled + 2
    else
      gone = gone or {}
      gone[#gone + 1] = taskId
      if message then
        suspects = suspects or {}
        suspects[#suspects + 1], suspects[#suspects + 2] = hash, 'hash'
      end
    end
  end
  if gone then
    call('ZREM', lease, unpack(gone))
    call('LTRIM', active, count, -1)
    for i = before + 1, filled, 2 do
      call('LPUSH', active, reply[i])
    end
  end
  seen = seen + count
  if count < left then
    reply[1] = 'DRAINED'
    break
  end
  left = limit - (filled - 1) / 2
end

local dropped = seen - (filled - 1) / 2
if suspects or dropped > 0 then
  -- include: notices
  for i = 1, suspects and #suspects or 0, 2 do
    isSound(suspects[i], suspects[i + 1])
  end
  noteDropped('pending', dropped)
  return withNotices(reply)
end
return reply
