-- enqueue: stores new tasks of every kind in the order given: to run at once, later, or in a group; with a lock or not.
--
-- KEYS[1]    pending       list   task ids, newest left
-- KEYS[2]    scheduled     zset   task id -> due time, epoch seconds
-- KEYS[3]    retry         zset   task id -> due time, epoch seconds
-- KEYS[4]    due           zset   task id -> exact due time, epoch milliseconds
-- KEYS[5]    groups        set    names of groups with waiting tasks
-- ARGV[1]    taskPrefix    a task's hash is this and its id: built here, same hash slot
-- ARGV[2]    groupPrefix   a group's zset is this and its name: built here, same hash slot
-- ARGV[3]    now           epoch milliseconds
-- ARGV[4]    pendingSince  epoch nanoseconds, decimal text
-- ARGV[5]    wakeChannel
-- ARGV[6]    dueChannel
-- ARGV[7]    queue
-- ARGV[8..]  tasks         six a task, at most 1,000 tasks: id; task message; place: pending, scheduled or aggregating;
--                          where: due time in epoch milliseconds, or the group's name, or empty; lock: a full key in
--                          the same hash slot, or empty; how long the lock lives in seconds
--
-- Reply      array of position (from 1) and a word, for each task that was not stored; empty when all were
--   DUPLICATE  another task holds the lock
--   HELD       the lock is held by a task with this very id
--   CONFLICT   a task with this id exists
-- Cost       O(n log N), n tasks given, N tasks waiting in the sets
local pending, scheduled, retry, due, groups = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local taskPrefix, groupPrefix, now, pendingSince = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local wakeChannel, dueChannel, queue = ARGV[5], ARGV[6], ARGV[7]

-- include: place-due

-- Nothing is written before every task has been looked at, so no error can stop the script half way.
local takenIds, takenLocks = {}, {}
local function refusal(taskId, lock)
  local holder = lock ~= '' and (takenLocks[lock] or redis.pcall('GET', lock))
  if holder then
    return holder == taskId and 'HELD' or 'DUPLICATE'
  end
  return (takenIds[taskId] or redis.call('EXISTS', taskPrefix .. taskId) == 1) and 'CONFLICT'
end

local accepted, refused, pendingIds, laterTasks = {}, {}, {}, {}
for i = 8, #ARGV, 6 do
  local taskId, place, where, lock = ARGV[i], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local why = refusal(taskId, lock)
  if why then
    refused[#refused + 1] = (i - 2) / 6
    refused[#refused + 1] = why
  else
    accepted[#accepted + 1] = i
    takenIds[taskId] = true
    takenLocks[lock] = taskId
    if place == 'pending' then
      pendingIds[#pendingIds + 1] = taskId
    elseif place == 'scheduled' then
      laterTasks[#laterTasks + 1] = where
      laterTasks[#laterTasks + 1] = taskId
    else
      redis.call('ZCARD', groupPrefix .. where)
    end
  end
end

-- Places first: an id without a task is dropped by whoever meets it, a task without a place would be lost.
local wasEmpty = #pendingIds > 0 and redis.call('LPUSH', pending, unpack(pendingIds)) == #pendingIds
placeDue({ target = scheduled, other = retry, due = due }, laterTasks, now, { channel = dueChannel, queue = queue })
for _, i in ipairs(accepted) do
  local taskId, message, place, where, lock = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local hash = taskPrefix .. taskId
  if place == 'pending' then
    redis.call('HSET', hash, 'msg', message, 'state', place, 'pending_since', pendingSince)
  elseif place == 'scheduled' then
    redis.call('HSET', hash, 'msg', message, 'state', place)
  else
    redis.call('ZADD', groupPrefix .. where, math.floor(now / 1000), taskId)
    redis.call('SADD', groups, where)
    redis.call('HSET', hash, 'msg', message, 'state', place, 'group', where)
  end
  if lock ~= '' then
    redis.call('HSET', hash, 'unique_key', lock)
    redis.call('SET', lock, taskId, 'EX', ARGV[i + 5])
  end
end
if wasEmpty then
  -- A user who may not publish must still be able to enqueue.
  redis.pcall('PUBLISH', wakeChannel, queue)
end
return refused
