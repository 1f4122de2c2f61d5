-- snooze: moves running tasks to the scheduled set without counting anything.
--
-- KEYS[1]    active      list   ids of running tasks, oldest at the right
-- KEYS[2]    lease       zset   task id -> lease expiry, epoch seconds
-- KEYS[3]    scheduled   zset   task id -> due time, epoch seconds
-- KEYS[4]    retry       zset   task id -> due time, epoch seconds
-- KEYS[5]    due         zset   task id -> exact due time, epoch milliseconds
-- ARGV[1]    taskPrefix  a task's key is this plus its id; built here, same hash slot
-- ARGV[2]    now         epoch milliseconds
-- ARGV[3]    dueChannel
-- ARGV[4]    queue
-- ARGV[5]    fence       keeps an earlier run from settling a task that was taken again; see leave-active
-- ARGV[6]    count       how many tasks, 1 to 1,000
-- ARGV[7..]  tasks       the ids, what the fence says about each, then two per task: task message, written only if the
--                        stored one is gone; due time in epoch milliseconds
--
-- Reply      array of the positions (from 1) of tasks that were not active and leased as the fence says; nothing was
--            written for them. Or a word:
--   LATE     the fence is a number, and the owners must be checked; nothing was written; call again with HELD
-- Cost       O(n log N), n tasks given, N leased or waiting tasks
local scheduled, retry, due = KEYS[3], KEYS[4], KEYS[5]
local taskPrefix, now, dueChannel, queue = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local count = tonumber(ARGV[6])

-- include: leave-active
-- include: notices
-- include: place-due

-- Runs before any write, so that a key of a wrong type stops the script here, not midway.
redis.call('ZCARD', scheduled)
local taken, _, rest = leaveActive(7)
if not taken then
  return 'LATE'
end
local tasks, refused = {}, {}
for i = 1, count do
  if taken[i] then
    local at = rest + 2 * i - 2
    local hash = taskPrefix .. ARGV[6 + i]
    tasks[#tasks + 1] = ARGV[at + 1]
    tasks[#tasks + 1] = ARGV[6 + i]
    -- A key of a wrong type in place of the hash must not stop the script for the other tasks.
    redis.pcall('HSETNX', hash, 'msg', ARGV[at])
    redis.pcall('HSET', hash, 'state', 'scheduled')
    redis.pcall('HDEL', hash, 'x:o', 'x:cancel', 'x:group')
  else
    refused[#refused + 1] = i
  end
end
placeDue({ target = scheduled, other = retry, due = due }, tasks, now, { channel = dueChannel, queue = queue })
return withNotices(refused)
