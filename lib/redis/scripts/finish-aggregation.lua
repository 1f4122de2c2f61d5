-- finish-aggregation: stores the combined task of an aggregation set and deletes the set with its tasks, both or
-- neither. A set of more than 500 is only marked as finished here: it never returns to its group, and keep-locks and
-- delete-aggregation-set delete it, some members at a time. The members' unique locks stay.
--
-- KEYS[1]   set              zset   task id -> time added to the group, epoch seconds
-- KEYS[2]   aggregationSets  zset   full key of an aggregation set -> its deadline, epoch seconds; +inf when it is
--                                   finished and never returns, -inf while it returns
-- KEYS[3]   pending          list   task ids, newest at the left
-- KEYS[4]   scheduled        zset   task id -> due time, epoch seconds
-- KEYS[5]   retry            zset   task id -> due time, epoch seconds
-- KEYS[6]   due              zset   task id -> exact due time, epoch milliseconds
-- KEYS[7]   groups           set    names of groups with waiting tasks
-- KEYS[8..] locks            string id of the task that holds a unique lock; those of the members if locksGiven is ALL
-- ARGV[1]   taskPrefix       a task's key is this plus its id; built here, same hash slot
-- ARGV[2]   groupPrefix      a group's key is this plus its name; built here, same hash slot
-- ARGV[3]   now              epoch milliseconds
-- ARGV[4]   pendingSince     epoch nanoseconds, decimal text
-- ARGV[5]   wakeChannel
-- ARGV[6]   dueChannel
-- ARGV[7]   queue
-- ARGV[8]   locksGiven       ALL, 500 at most; or NONE: the set is only marked as finished
-- ARGV[9..] tasks            the one task, seven fields: id; task message; place: pending, scheduled or aggregating; due
--                            time in epoch milliseconds, or empty; the group's name, or empty; lock: a full key in the
--                            same hash slot, or empty; lifetime of the lock in seconds
--
-- Reply     FINISHED         the task is stored and the set is gone
--           MORE             the task is stored, now or by an earlier call, and the set is marked as finished
--           GONE             there is no such set: it returned or is returning to its group, or was finished before
--           DUPLICATE        another task holds the lock
--           HELD             the lock is held by a task with this very id
--           CONFLICT         a task with this id already exists
--           WRONG_TYPE       a key of a wrong type is where it must be stored
--           Nothing was written unless FINISHED or MORE.
-- Cost      O(n log N), n of N members, 500 at most
local set, aggregationSets = KEYS[1], KEYS[2]
local pending, scheduled, retry, due, groups = KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local taskPrefix, groupPrefix, now, pendingSince = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local wakeChannel, dueChannel, queue, locksGiven = ARGV[5], ARGV[6], ARGV[7], ARGV[8]

-- include: notices
-- include: lock-holder
-- include: place-due
-- include: store-tasks
-- include: write-when-full
-- include: delete-tasks
-- include: delete-members
-- include: keep-locks

local size, deadline = redis.call('ZCARD', set), redis.call('ZSCORE', aggregationSets, set)
if size == 0 or not deadline or deadline == '-inf' then
  return 'GONE'
elseif deadline == 'inf' then
  return 'MORE'
end

-- Finishing frees more memory than it takes.
writeWhenFull(aggregationSets)
local refused = storeTasks({
  keys = { pending = pending, scheduled = scheduled, retry = retry, due = due, groups = groups },
  prefixes = { task = taskPrefix, group = groupPrefix },
  channels = { wake = wakeChannel, due = dueChannel },
  queue = queue,
  now = now,
  pendingSince = pendingSince,
}, ARGV, 9)
if refused[2] then
  return withNotices(refused[2])
end
if size > 500 or locksGiven ~= 'ALL' then
  redis.call('ZADD', aggregationSets, '+inf', set)
  return withNotices('MORE')
end
keepLocks(set, taskPrefix, 8)
deleteMembers(set, aggregationSets, taskPrefix)
return withNotices('FINISHED')
