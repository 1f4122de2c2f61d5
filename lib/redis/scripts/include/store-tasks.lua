-- store-tasks: stores new tasks of every kind, each in its place and with its lock. Needs
-- notices, lock-holder and place-due before it.
--
-- storeTasks(context, tasks, first)
--   context  keys: pending, scheduled, retry, due, groups; prefixes: task and group, of keys built here; channels: wake
--            and due; queue; now, epoch milliseconds; pendingSince, epoch nanoseconds as decimal text
--   tasks    array whose part from `first` on has seven fields a task: id; task message; place; due time in epoch
--            milliseconds, or empty; the group's name, or empty; lock, or empty; how long the lock lives in seconds
-- Returns an array of position (from 1) and a word for each task that was not stored: DUPLICATE, another task holds the
-- lock; HELD, a task with this very id holds it; CONFLICT, a task with this id exists; WRONG_TYPE, where it is to
-- be stored stands a key of another type. A lock whose holder is not stored any more refuses nobody: the new task takes
-- it over. Nothing is written before every task has been looked at, so no error can stop the script half way.
local function hasPlace(context, place, group)
  local keys = context.keys
  if place == 'pending' then
    return isSound(keys.pending, 'list')
  elseif place == 'scheduled' then
    return isSound(keys.scheduled, 'zset')
  end
  return isSound(keys.groups, 'set') and isSound(context.prefixes.group .. group, 'zset')
end

local function refusalOf(context, taken, taskId, lock)
  if lock ~= '' then
    -- A lock of another type may have been somebody's.
    if not taken.locks[lock] and not isSound(lock, 'string') then
      return 'DUPLICATE'
    end
    local holder = taken.locks[lock] or lockHolder(context.prefixes.task, lock)
    if holder then
      return holder == taskId and 'HELD' or 'DUPLICATE'
    end
  end
  return (taken.ids[taskId] or redis.call('EXISTS', context.prefixes.task .. taskId) == 1) and 'CONFLICT'
end

local function storeTasks(context, tasks, first)
  local keys, prefixes, now = context.keys, context.prefixes, context.now
  local taken, accepted, refused, pendingIds, laterTasks = { ids = {}, locks = {} }, {}, {}, {}, {}
  for i = first, #tasks, 7 do
    local taskId, place, lock = tasks[i], tasks[i + 2], tasks[i + 5]
    local why = not hasPlace(context, place, tasks[i + 4]) and 'WRONG_TYPE' or refusalOf(context, taken, taskId, lock)
    if why then
      refused[#refused + 1] = (i - first) / 7 + 1
      refused[#refused + 1] = why
    else
      accepted[#accepted + 1] = i
      taken.ids[taskId] = true
      taken.locks[lock] = taskId
      if place == 'pending' then
        pendingIds[#pendingIds + 1] = taskId
      elseif place == 'scheduled' then
        laterTasks[#laterTasks + 1] = tasks[i + 3]
        laterTasks[#laterTasks + 1] = taskId
      end
    end
  end

  -- Places first: an id without a task is dropped by whoever meets it, a task without a place would be lost.
  local wasEmpty = #pendingIds > 0 and redis.call('LPUSH', keys.pending, unpack(pendingIds)) == #pendingIds
  local dueSets = { target = keys.scheduled, other = keys.retry, due = keys.due }
  placeDue(dueSets, laterTasks, now, { channel = context.channels.due, queue = context.queue })
  for _, i in ipairs(accepted) do
    local taskId, message, place, group, lock = tasks[i], tasks[i + 1], tasks[i + 2], tasks[i + 4], tasks[i + 5]
    local hash = prefixes.task .. taskId
    if place == 'pending' then
      redis.call('HSET', hash, 'msg', message, 'state', place, 'pending_since', context.pendingSince)
    elseif place == 'scheduled' then
      redis.call('HSET', hash, 'msg', message, 'state', place)
      -- A field of our own: one that Go knows would let its forwarder put the task into a group that is not listed.
      if group ~= '' then
        redis.call('HSET', hash, 'x:group', group)
      end
    else
      redis.call('ZADD', prefixes.group .. group, math.floor(now / 1000), taskId)
      redis.call('SADD', keys.groups, group)
      redis.call('HSET', hash, 'msg', message, 'state', place, 'group', group)
    end
    if lock ~= '' then
      redis.call('HSET', hash, 'unique_key', lock)
      redis.call('SET', lock, taskId, 'EX', tasks[i + 6])
    end
  end
  if wasEmpty then
    -- A user who may not publish must still be able to enqueue.
    redis.pcall('PUBLISH', context.channels.wake, context.queue)
  end
  return refused
end
