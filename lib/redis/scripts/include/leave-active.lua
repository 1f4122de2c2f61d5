-- leave-active: takes running tasks out of `active` and `lease`. A task that is not in both stays as it is.
--
-- leaveActive(active, lease, taskIds, first, last, leases)
--   taskIds, first, last  the part of an array that holds the ids; at most 1,000
--   leases                nil, or an array (from 1) of the lease ends asked for, epoch seconds; '' asks for none:
--                         a task whose lease ends at another second has another owner by now and stays as it is
-- Returns an array (from 1) of true or false, whether this position of the part was taken out, and how many were.

-- The usual case, at little cost: the tasks end in the order they began, and every one of them is leased.
local function takeTail(active, lease, tail, taskIds, first)
  local count = #tail
  for i = 1, count do
    if tail[count + 1 - i] ~= taskIds[first + i - 1] then
      return false
    end
  end
  -- Scores are slow to ask for: reading all names costs less while they are few.
  if redis.call('ZCARD', lease) > 6 * count then
    return false
  end
  local leased, isLeased = redis.call('ZRANGE', lease, 0, -1), {}
  for i = 1, #leased do
    isLeased[leased[i]] = true
  end
  for i = 1, count do
    if not isLeased[tail[i]] then
      return false
    end
    -- An id that is there twice is no usual case.
    isLeased[tail[i]] = false
  end
  redis.call('LTRIM', active, 0, -count - 1)
  redis.call('ZREM', lease, unpack(tail))
  return true
end

local function findLeased(lease, taskIds, first, last, leases)
  local positions = {}
  local ends = redis.call('ZMSCORE', lease, unpack(taskIds, first, last))
  for i = 1, last - first + 1 do
    if ends[i] and (not leases or leases[i] == '' or tonumber(leases[i]) == tonumber(ends[i])) then
      positions[taskIds[first + i - 1]] = 0
    end
  end
  return positions
end

local function splitActive(activeIds, positions, taken)
  local kept, found = {}, 0
  for i = 1, #activeIds do
    local position = positions[activeIds[i]]
    if position and position > 0 and not taken[position] then
      taken[position] = true
      found = found + 1
    else
      kept[#kept + 1] = activeIds[i]
    end
  end
  return kept, found
end

local function takeFromActive(active, tail, positions, wanted, taken)
  -- The ids asked for may still be the tail, in another order. If not, one command per id has to search the list; to
  -- write it anew is faster while it is not much longer than what leaves it. Measured by bench/micro/scripts.mjs.
  local kept, found = splitActive(tail, positions, taken)
  if found < wanted then
    for i = 1, #taken do
      taken[i] = false
    end
    if redis.call('LLEN', active) > math.min(6 * wanted, 4000) then
      found = 0
      for taskId, position in pairs(positions) do
        if position > 0 and redis.call('LREM', active, -1, taskId) == 1 then
          taken[position] = true
          found = found + 1
        end
      end
      return found
    end
    tail = redis.call('LRANGE', active, 0, -1)
    kept, found = splitActive(tail, positions, taken)
  end
  if found > 0 then
    redis.call('LTRIM', active, 0, -#tail - 1)
    if #kept > 0 then
      redis.call('RPUSH', active, unpack(kept))
    end
  end
  return found
end

local function leaveActive(active, lease, taskIds, first, last, leases)
  local taken, wanted, count = {}, 0, last - first + 1
  local tail = redis.call('LRANGE', active, -count, -1)
  if not leases and #tail == count and takeTail(active, lease, tail, taskIds, first) then
    for i = 1, count do
      taken[i] = true
    end
    return taken, count
  end
  local positions = findLeased(lease, taskIds, first, last, leases)
  for i = 1, count do
    local taskId = taskIds[first + i - 1]
    taken[i] = false
    -- An id that is given twice counts once.
    if positions[taskId] == 0 then
      positions[taskId] = i
      wanted = wanted + 1
    end
  end
  if wanted == 0 then
    return taken, 0
  end
  local found = takeFromActive(active, tail, positions, wanted, taken)
  if found == #taken then
    redis.call('ZREM', lease, unpack(taskIds, first, last))
  elseif found > 0 then
    local released = {}
    for i = 1, #taken do
      if taken[i] then
        released[#released + 1] = taskIds[first + i - 1]
      end
    end
    redis.call('ZREM', lease, unpack(released))
  end
  return taken, found
end
