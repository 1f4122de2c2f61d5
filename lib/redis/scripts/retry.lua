-- retry: moves running tasks that failed to the retry set.
--
-- KEYS[1]    active        list    ids of running tasks, oldest at the right
-- KEYS[2]    lease         zset    task id -> lease expiry, epoch seconds
-- KEYS[3]    retry         zset    task id -> due time, epoch seconds
-- KEYS[4]    scheduled     zset    task id -> due time, epoch seconds
-- KEYS[5]    due           zset    task id -> exact due time, epoch milliseconds
-- KEYS[6]    processedDay  string  counter of the UTC day
-- KEYS[7]    processed     string  counter
-- KEYS[8]    failedDay     string  counter of the UTC day
-- KEYS[9]    failed        string  counter
-- ARGV[1]    taskPrefix    a task's key is this plus its id; built here, same hash slot
-- ARGV[2]    now           epoch milliseconds
-- ARGV[3]    dayExpiresAt  epoch seconds
-- ARGV[4]    dueChannel
-- ARGV[5]    queue
-- ARGV[6]    fence         keeps an earlier run from settling a task that was taken again; see leave-active
-- ARGV[7]    count         how many tasks, 1 to 1,000
-- ARGV[8..]  tasks         the ids, what the fence says about each, then three per task: task message; due time in epoch
--                          milliseconds; FAILURE when it counts as one, else UNCOUNTED
--
-- Reply      array of the positions (from 1) of tasks that were not active and leased as the fence says; nothing was
--            written for them. Or a word:
--   LATE     the fence is a number, and the owners must be checked; nothing was written; call again with HELD
-- Cost       O(n log N), n tasks given, N leased or waiting tasks
local retry, scheduled, due = KEYS[3], KEYS[4], KEYS[5]
local counters = { processedDay = KEYS[6], processed = KEYS[7], failedDay = KEYS[8], failed = KEYS[9] }
local taskPrefix, now, dayExpiresAt, dueChannel, queue = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local count = tonumber(ARGV[7])

-- include: leave-active
-- include: notices
-- include: place-due
-- include: count-processed
-- include: count-failed

-- Runs before any write, so that a key of a wrong type stops the script here, not midway.
redis.call('ZCARD', retry)
local taken, _, rest = leaveActive(8)
if not taken then
  return 'LATE'
end
local tasks, refused, failures = {}, {}, 0
for i = 1, count do
  if taken[i] then
    local at = rest + 3 * i - 3
    local hash = taskPrefix .. ARGV[7 + i]
    tasks[#tasks + 1] = ARGV[at + 1]
    tasks[#tasks + 1] = ARGV[7 + i]
    -- A key of a wrong type in place of the hash must not stop the script for the other tasks.
    redis.pcall('HSET', hash, 'msg', ARGV[at], 'state', 'retry')
    redis.pcall('HDEL', hash, 'x:o', 'x:cancel')
    if ARGV[at + 2] == 'FAILURE' then
      failures = failures + 1
    end
  else
    refused[#refused + 1] = i
  end
end
placeDue({ target = retry, other = scheduled, due = due }, tasks, now, { channel = dueChannel, queue = queue })
countFailed(counters, failures, dayExpiresAt)
return withNotices(refused)
