-- list-expired-leases: lists tasks that lost their worker (P-64). Ids without a task are removed from lease and
-- active on the way, so that they do not block others forever (Q-22).
--
-- KEYS[1]  lease        zset   task id -> expiry, epoch seconds
-- KEYS[2]  active       list   ids of running tasks
-- ARGV[1]  taskPrefix   a task's key is this plus its id; built here, same hash slot
-- ARGV[2]  expiredBy    epoch seconds; leases that ended then or earlier
-- ARGV[3]  limit        how many to list at most; 1 to 1,000
--
-- Reply    array: end of the next lease after expiredBy, epoch seconds, or '' when there is none; then per task,
--          oldest lease first: task id, end of its lease, message, owner's note or nil, cancellation's outcome or nil
-- Cost     O(L log N), L the limit, N running tasks of the queue; O(N) for each id without a task
local lease, active = KEYS[1], KEYS[2]
local taskPrefix, expiredBy, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])

-- include: notices

if not isSound(lease, 'zset') then
  return withNotices({ '' })
end
local nextEnd = redis.call('ZRANGEBYSCORE', lease, '(' .. expiredBy, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local reply, listed, lost = { nextEnd[2] or '' }, 0, 0
-- Several rounds, because each dropped id makes room for another; bounded, because dropping is expensive.
for round = 1, 5 do
  local page = redis.call('ZRANGEBYSCORE', lease, '-inf', expiredBy, 'WITHSCORES', 'LIMIT', listed, limit - listed)
  local dropped = 0
  for i = 1, #page, 2 do
    local taskId = page[i]
    local task = redis.pcall('HMGET', taskPrefix .. taskId, 'msg', 'x:o', 'x:cancel')
    if task.err then
      isSound(taskPrefix .. taskId, 'hash')
    end
    if task[1] then
      local at = #reply
      reply[at + 1], reply[at + 2], reply[at + 3] = taskId, page[i + 1], task[1]
      reply[at + 4], reply[at + 5] = task[2], task[3]
      listed = listed + 1
    else
      redis.call('ZREM', lease, taskId)
      if isSound(active, 'list') then
        redis.call('LREM', active, -1, taskId)
      end
      dropped = dropped + 1
    end
  end
  lost = lost + dropped
  if dropped == 0 or listed == limit then
    break
  end
end
noteDropped('lease', lost)
return withNotices(reply)
