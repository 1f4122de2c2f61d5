-- dequeue: takes the oldest pending tasks and leases them to a server.
--
-- KEYS[1]  pending     list    task ids, next to run right
-- KEYS[2]  paused      string  there while the queue gives nothing
-- KEYS[3]  active      list    ids of running tasks, newest left
-- KEYS[4]  lease       zset    task id -> lease expiry, epoch seconds
-- ARGV[1]  taskPrefix  a task's hash is this and its id: built here, same hash slot
-- ARGV[2]  leaseUntil  epoch seconds
-- ARGV[3]  limit       how many tasks at most, 1 to 1,000
-- ARGV[4]  owner       when the server takes them, epoch seconds, and the server, host:pid:server-id
--
-- Reply    array: a word, then id and task message of each task taken, oldest first
--   SOME     there may be more
--   DRAINED  the queue is empty now
--   PAUSED   the queue gives nothing until it is resumed
-- Cost     O(n log N), n tasks taken, N leased tasks; up to 1,000 ids without a stored task are dropped on the way
local pending, paused, active, lease = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local taskPrefix, leaseUntil, limit, owner = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

local call, pcall = redis.call, redis.pcall
-- include: notices
-- include: lease-taken

if call('EXISTS', paused) == 1 then
  return { 'PAUSED' }
end

-- Before anything is written: nothing can be taken while a key of another type stands where running tasks are kept.
local leased = pcall('ZCARD', lease)
if type(pcall('LLEN', active)) ~= 'number' or type(leased) ~= 'number' then
  local _ = isSound(active, 'list'), isSound(lease, 'zset')
  return withNotices({ 'DRAINED' })
end
local reply, taken, seen, left = { 'SOME' }, {}, 0, limit
while left > 0 and seen < limit + 1000 do
  -- The first write takes something away: a server out of memory still lets workers finish what is stored.
  local taskIds = pcall('RPOP', pending, left) or {}
  if taskIds.err then
    local _ = isSound(pending, 'list')
  end
  for i = 1, #taskIds do
    local taskId = taskIds[i]
    local hash = taskPrefix .. taskId
    -- A key of another type is not a task either and must not stop the queue.
    local message = pcall('HGET', hash, 'msg')
    if type(message) == 'string' then
      -- One task after the other, though checks and writes mix: its hash is in the processor's cache only once.
      call('HSET', hash, 'state', 'active', 'x:o', owner)
      call('HDEL', hash, 'pending_since')
      taken[#taken + 1] = taskId
      reply[#reply + 1] = taskId
      reply[#reply + 1] = message
    elseif message then
      isSound(hash, 'hash')
    end
  end
  seen = seen + #taskIds
  if #taskIds < left then
    reply[1] = 'DRAINED'
    break
  end
  left = limit - #taken
end

noteDropped('pending', seen - #taken)
leaseTaken({ active = active, lease = lease, leased = leased }, taken, leaseUntil)
return withNotices(reply)
