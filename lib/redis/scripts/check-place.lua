-- check-place: checks whether the ids in a part of one list or set belong there. Writes nothing.
--
-- KEYS[1]  place        list or zset; the ids are checked in the order of positions or ranks
-- KEYS[2]  partner      for active: lease, zset; for lease: active, list; otherwise the place again
-- ARGV[1]  kind         active, lease, list or zset
-- ARGV[2]  state        the state that the tasks there must have
-- ARGV[3]  taskPrefix   a task's key is this plus its id; built here, same hash slot
-- ARGV[4]  first        position of the first id to check, from 0
-- ARGV[5]  limit        how many ids, 1 to 1,000
--
-- Reply    array: how many ids were checked; then pairs of a word and an id
--   ID_WITHOUT_TASK        the task's hash is gone
--   ACTIVE_WITHOUT_LEASE   in active, but not leased
--   LEASE_WITHOUT_ACTIVE   leased, but not in active, or its state says that it is elsewhere
--   TASK_IN_WRONG_PLACE    its state says that it is elsewhere
-- Cost     O(L), L the limit; O(L + N) for lease, N running tasks of the queue, 5,000 at most. A list
--          with more ids is not checked: ids that do not belong there are dropped when they are dequeued. With more running
--          tasks, a lease is only compared with its task's record: one that is not in active is found once it has ended
local place, partner = KEYS[1], KEYS[2]
local kind, state, taskPrefix = ARGV[1], ARGV[2], ARGV[3]
local first, last = tonumber(ARGV[4]), tonumber(ARGV[4]) + tonumber(ARGV[5]) - 1

-- include: notices

local isList = kind == 'active' or kind == 'list'
if not isSound(place, isList and 'list' or 'zset') or not isSound(partner, (kind == 'lease' or kind == 'list') and 'list' or 'zset') then
  return withNotices({ 0 })
end
if kind == 'list' and redis.call('LLEN', place) > 5000 then
  return { 0 }
end
local taskIds = redis.call(isList and 'LRANGE' or 'ZRANGE', place, first, last)
local leases, running, isLong = {}, {}, false
if kind == 'active' and #taskIds > 0 then
  leases = redis.call('ZMSCORE', partner, unpack(taskIds))
elseif kind == 'lease' and redis.call('LLEN', partner) <= 5000 then
  for _, taskId in ipairs(redis.call('LRANGE', partner, 0, -1)) do
    running[taskId] = true
  end
elseif kind == 'lease' then
  isLong = true
end

local function verdict(i)
  local stored = redis.pcall('HGET', taskPrefix .. taskIds[i], 'state')
  if type(stored) ~= 'string' then
    return 'ID_WITHOUT_TASK'
  elseif kind == 'lease' then
    return (stored ~= state or not isLong and not running[taskIds[i]]) and 'LEASE_WITHOUT_ACTIVE'
  elseif stored ~= state then
    return 'TASK_IN_WRONG_PLACE'
  end
  return kind == 'active' and not leases[i] and 'ACTIVE_WITHOUT_LEASE'
end

local reply = { #taskIds }
for i = 1, #taskIds do
  local word = verdict(i)
  if word then
    reply[#reply + 1] = word
    reply[#reply + 1] = taskIds[i]
  end
end
return withNotices(reply)
