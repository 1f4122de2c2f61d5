-- store-tasks: stores new tasks of every kind, each in its place and with its lock. Needs
-- notices, lock-holder and place-due before it.
--
-- storeTasks(context, tasks, first)
--   context  keys: pending, scheduled, retry, due, groups; prefixes: task and group, of keys built here; channels: wake
--            and due; queue; now, epoch milliseconds; pendingSince, epoch nanoseconds as decimal text
--   tasks    array with seven fields per task from `first` on: id; task message; place; due time in epoch
--            milliseconds, or empty; the group's name, or empty; lock, or empty; lifetime of the lock in seconds
-- Returns an array of position (from 1) and a word for each task that was not stored: DUPLICATE, another task holds the
-- lock; HELD, a task with this very id holds it; CONFLICT, a task with this id already exists; WRONG_TYPE, the key
-- where it must be stored has a wrong type. A lock whose holder is no longer stored refuses no task: the new task takes
-- it over. Nothing is written before every task has been checked, so no error can stop the script midway.
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
    -- A key of a wrong type may have been a lock that another task held.
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
  local groupNames, members, nowSeconds = {}, {}, math.floor(now / 1000)
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
      else
        local group = tasks[i + 4]
        local joining = members[group]
        if not joining then
          joining = {}
          members[group], groupNames[#groupNames + 1] = joining, group
        end
        joining[#joining + 1] = nowSeconds
        joining[#joining + 1] = taskId
      end
    end
  end

  -- The place is written first: an id without a task is dropped when it is found, but a task without a place is lost.
  local wasEmpty = #pendingIds > 0 and redis.call('LPUSH', keys.pending, unpack(pendingIds)) == #pendingIds
  local dueSets = { target = keys.scheduled, other = keys.retry, due = keys.due }
  placeDue(dueSets, laterTasks, now, { channel = context.channels.due, queue = context.queue })
  for _, group in ipairs(groupNames) do
    redis.call('ZADD', prefixes.group .. group, unpack(members[group]))
    redis.call('SADD', keys.groups, group)
  end
  for _, i in ipairs(accepted) do
    local taskId, message, place, group, lock = tasks[i], tasks[i + 1], tasks[i + 2], tasks[i + 4], tasks[i + 5]
    local fields = { 'msg', message, 'state', place }
    if place == 'pending' then
      fields[5], fields[6] = 'pending_since', context.pendingSince
    elseif place ~= 'scheduled' then
      fields[5], fields[6] = 'group', group
    elseif group ~= '' then
      -- This is our own field: Go's would let its forwarder put the task into a group that is not listed.
      fields[5], fields[6] = 'x:group', group
    end
    if lock ~= '' then
      local at = #fields
      fields[at + 1], fields[at + 2] = 'unique_key', lock
      redis.call('SET', lock, taskId, 'EX', tasks[i + 6])
    end
    redis.call('HSET', prefixes.task .. taskId, unpack(fields))
  end
  if wasEmpty then
    -- A user without permission to publish must still be able to enqueue.
    redis.pcall('PUBLISH', context.channels.wake, context.queue)
  end
  return refused
end
