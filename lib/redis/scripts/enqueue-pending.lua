-- enqueue-pending: stores new tasks without a delay or a lock. A faster form of enqueue: one command per task.
--
-- KEYS[1]    pending       list   task ids, newest at the left
-- ARGV[1]    taskPrefix    a task's key is this plus its id; built here, same hash slot
-- ARGV[2]    pendingSince  epoch nanoseconds, decimal text
-- ARGV[3]    wakeChannel
-- ARGV[4]    queue
-- ARGV[5..]  tasks         n ids, then n task messages in the same order; n at most 1,000
--
-- Reply      array of position (from 1) and CONFLICT, for each task that was not stored; empty when all were
--   CONFLICT   a task with this id already exists
-- Cost       O(n)
local pending = KEYS[1]
local taskPrefix, pendingSince, wakeChannel, queue = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local count = (#ARGV - 4) / 2

local hashes, isGiven, isTwice = {}, {}, false
for i = 1, count do
  local hash = taskPrefix .. ARGV[4 + i]
  hashes[i] = hash
  isTwice = isTwice or isGiven[hash]
  isGiven[hash] = true
end

local refused, length, added = {}, 0, count
if not isTwice and redis.call('EXISTS', unpack(hashes)) == 0 then
  length = redis.call('LPUSH', pending, unpack(ARGV, 5, 4 + count))
  for i = 1, count do
    redis.call('HSET', hashes[i], 'msg', ARGV[4 + count + i], 'state', 'pending', 'pending_since', pendingSince)
  end
else
  added = 0
  for i = 1, count do
    if redis.call('EXISTS', hashes[i]) == 1 then
      refused[#refused + 1] = i
      refused[#refused + 1] = 'CONFLICT'
    else
      length = redis.call('LPUSH', pending, ARGV[4 + i])
      redis.call('HSET', hashes[i], 'msg', ARGV[4 + count + i], 'state', 'pending', 'pending_since', pendingSince)
      added = added + 1
    end
  end
end
if added > 0 and length == added then
  -- A user without permission to publish must still be able to enqueue.
  redis.pcall('PUBLISH', wakeChannel, queue)
end
return refused
