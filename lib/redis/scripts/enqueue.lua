-- enqueue: stores new tasks of every kind in the given order: to run now, later or in a group, with or without a lock.
--
-- KEYS[1]    pending       list   task ids, newest at the left
-- KEYS[2]    scheduled     zset   task id -> due time, epoch seconds
-- KEYS[3]    retry         zset   task id -> due time, epoch seconds
-- KEYS[4]    due           zset   task id -> exact due time, epoch milliseconds
-- KEYS[5]    groups        set    names of groups with waiting tasks
-- ARGV[1]    taskPrefix    a task's key is this plus its id; built here, same hash slot
-- ARGV[2]    groupPrefix   a group's key is this plus its name; built here, same hash slot
-- ARGV[3]    now           epoch milliseconds
-- ARGV[4]    pendingSince  epoch nanoseconds, decimal text
-- ARGV[5]    wakeChannel
-- ARGV[6]    dueChannel
-- ARGV[7]    queue
-- ARGV[8..]  tasks         seven per task, at most 1,000 tasks: id; task message; place: pending, scheduled or
--                          aggregating; due time in epoch milliseconds, or empty; the group's name, or empty; lock: a
--                          full key in the same hash slot, or empty; lifetime of the lock in seconds
--
-- Reply      array of position (from 1) and a word, for each task that was not stored; empty when all were
--   DUPLICATE  another task holds the lock
--   HELD       the lock is held by a task with this very id
--   CONFLICT   a task with this id already exists
--   WRONG_TYPE  a key of a wrong type is where it must be stored
-- Cost       O(n log N), n tasks given, N tasks waiting in the sets
local pending, scheduled, retry, due, groups = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local taskPrefix, groupPrefix, now, pendingSince = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local wakeChannel, dueChannel, queue = ARGV[5], ARGV[6], ARGV[7]

-- include: notices
-- include: lock-holder
-- include: place-due
-- include: store-tasks

return withNotices(storeTasks({
  keys = { pending = pending, scheduled = scheduled, retry = retry, due = due, groups = groups },
  prefixes = { task = taskPrefix, group = groupPrefix },
  channels = { wake = wakeChannel, due = dueChannel },
  queue = queue,
  now = now,
  pendingSince = pendingSince,
}, ARGV, 8))
