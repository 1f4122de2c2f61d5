-- place-due: puts tasks into the scheduled or the retry set. The score is the due time rounded up to seconds, which
-- every process reads; a due time between two seconds is also kept to the millisecond in `due`, for our own processes. Needs
-- notices before it. If the key of `other` or `due` has a wrong type, tasks are placed without it.
--
-- placeDue(sets, tasks, now, signal)
--   sets    keys: target, the set that the tasks enter; other, the other one of the two; due, the exact times
--   tasks   array: due time in epoch milliseconds, task id, and so on; at most 2,000 tasks
--   now     epoch milliseconds
--   signal  channel and queue: a task that becomes the earliest due task of the queue is announced there
local function placeDue(sets, tasks, now, signal)
  if #tasks == 0 then
    return
  end
  local scores, exact, whole = {}, {}, {}
  local earliest, latest = math.huge, 0
  for i = 1, #tasks, 2 do
    local dueAt, taskId = tonumber(tasks[i]), tasks[i + 1]
    local second = math.ceil(dueAt / 1000)
    scores[i], scores[i + 1] = second, taskId
    earliest = math.min(earliest, dueAt)
    if dueAt == second * 1000 then
      whole[#whole + 1] = taskId
    else
      exact[#exact + 1] = dueAt
      exact[#exact + 1] = taskId
      latest = math.max(latest, dueAt)
    end
  end

  local hasDue, hasOther = isSound(sets.due, 'zset'), isSound(sets.other, 'zset')
  -- A task becomes the earliest if no other task is due in an earlier second or earlier in the same second.
  local second = math.ceil(earliest / 1000)
  local isEarliest = (not hasOther or redis.call('ZCOUNT', sets.other, '-inf', '(' .. second) == 0)
    and redis.call('ZCOUNT', sets.target, '-inf', '(' .. second) == 0
  if isEarliest and hasDue and redis.call('ZCOUNT', sets.due, '(' .. (second - 1) * 1000, earliest) > 0 then
    isEarliest = false
  end
  if isEarliest and earliest == second * 1000 then
    isEarliest = (not hasOther or redis.call('ZCOUNT', sets.other, second, second) == 0)
      and redis.call('ZCOUNT', sets.target, second, second) == 0
  end

  redis.call('ZADD', sets.target, unpack(scores))
  if #whole > 0 and hasDue then
    redis.call('ZREM', sets.due, unpack(whole))
  end
  if #exact > 0 and hasDue then
    -- Workers that do not know this key also forward tasks, so stale members are removed here, and the key expires.
    -- Some at a time: there may be a million of them.
    local old = redis.call('ZRANGEBYSCORE', sets.due, '-inf', now - 60000, 'LIMIT', 0, 1000)
    if #old > 0 then
      redis.call('ZREM', sets.due, unpack(old))
    end
    redis.call('ZADD', sets.due, unpack(exact))
    local neededMs = math.ceil(latest - now) + 60000
    if redis.call('PTTL', sets.due) < neededMs then
      redis.call('PEXPIRE', sets.due, neededMs)
    end
  end
  if isEarliest then
    -- A user without permission to publish must still be able to schedule.
    redis.pcall('PUBLISH', signal.channel, string.format('%.0f ', earliest) .. signal.queue)
  end
end
