-- finish-aggregation: stores the task that stands for an aggregation set and deletes the set with its tasks, both or
-- neither. The tasks' unique locks stay (Q-03), and say from now on that their holders were aggregated: a lock whose
-- holder has merely vanished is taken over by the next task (see store-tasks).
--
-- KEYS[1]   set              zset   task id -> time added to the group, epoch seconds
-- KEYS[2]   aggregationSets  zset   full key of an aggregation set -> its deadline, epoch seconds
-- KEYS[3]   pending          list   task ids, newest left
-- KEYS[4]   scheduled        zset   task id -> due time, epoch seconds
-- KEYS[5]   retry            zset   task id -> due time, epoch seconds
-- KEYS[6]   due              zset   task id -> exact due time, epoch milliseconds
-- KEYS[7]   groups           set    names of groups with waiting tasks
-- KEYS[8..] locks            string id of the task that holds a unique lock; those of the members
-- ARGV[1]   taskPrefix       a task's hash is this and its id: built here, same hash slot
-- ARGV[2]   groupPrefix      a group's zset is this and its name: built here, same hash slot
-- ARGV[3]   now              epoch milliseconds
-- ARGV[4]   pendingSince     epoch nanoseconds, decimal text
-- ARGV[5]   wakeChannel
-- ARGV[6]   dueChannel
-- ARGV[7]   queue
-- ARGV[8..] tasks            the one task, seven fields: id; task message; place: pending, scheduled or aggregating; due
--                            time in epoch milliseconds, or empty; the group's name, or empty; lock: a full key in the
--                            same hash slot, or empty; how long the lock lives in seconds
--
-- Reply     FINISHED         the task is stored and the set is gone
--           GONE             there is no such set: it went back to its group, or was finished before
--           DUPLICATE        another task holds the lock
--           HELD             the lock is held by a task with this very id
--           CONFLICT         a task with this id exists
--           WRONG_TYPE       where it is to be stored stands a key of another type
--           Nothing was written unless FINISHED.
-- Cost      O(N), N members and locks
local set, aggregationSets = KEYS[1], KEYS[2]
local pending, scheduled, retry, due, groups = KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local taskPrefix, groupPrefix, now, pendingSince = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local wakeChannel, dueChannel, queue = ARGV[5], ARGV[6], ARGV[7]

-- include: notices
-- include: lock-holder
-- include: place-due
-- include: store-tasks
-- include: write-when-full

local size = redis.call('ZCARD', set)
if size == 0 or not redis.call('ZSCORE', aggregationSets, set) then
  return 'GONE'
end

-- Looked at before anything is written. A hash that names another state stays: its id was left behind in the set and
-- belongs to another task by now.
local members, isMember, missing = {}, {}, 0
for first = 0, size - 1, 1000 do
  for _, taskId in ipairs(redis.call('ZRANGE', set, first, first + 999)) do
    local state = redis.pcall('HGET', taskPrefix .. taskId, 'state')
    if state == 'aggregating' then
      members[#members + 1] = taskPrefix .. taskId
      isMember[taskId] = true
    elseif not state then
      missing = missing + 1
    end
  end
end

-- It frees more than it takes.
writeWhenFull(aggregationSets)
local refused = storeTasks({
  keys = { pending = pending, scheduled = scheduled, retry = retry, due = due, groups = groups },
  prefixes = { task = taskPrefix, group = groupPrefix },
  channels = { wake = wakeChannel, due = dueChannel },
  queue = queue,
  now = now,
  pendingSince = pendingSince,
}, ARGV, 8)
if refused[2] then
  return withNotices(refused[2])
end
for first = 1, #members, 1000 do
  redis.call('DEL', unpack(members, first, math.min(first + 999, #members)))
end
for i = 8, #KEYS do
  local holder = redis.pcall('GET', KEYS[i])
  if isMember[holder] then
    redis.call('SET', KEYS[i], 'aggregated:' .. holder, 'KEEPTTL')
  end
end
redis.call('DEL', set)
redis.call('ZREM', aggregationSets, set)
noteDropped('group', missing)
return withNotices('FINISHED')
