-- take-claimed: the part of leave-active for tasks that end in any order or need a closer check.
--
-- takeClaimed(first)
--   first  as in leave-active; a fence that is a number has been checked: all leased tasks are the caller's
-- Returns what leaveActive does, never nil.

-- Returns whether the task at position i, leased until `leaseEnd`, is the caller's.
local function isClaimed(first, i, leaseEnd)
  local count = tonumber(ARGV[first - 1])
  if ARGV[first - 2] == 'LISTED' then
    return leaseEnd == tonumber(ARGV[first + count + i - 1])
  end
  local note = redis.pcall('HGET', ARGV[1] .. ARGV[first + i - 1], 'x:o')
  return leaseEnd <= tonumber(ARGV[first + count + 2 * i - 1])
    and (type(note) ~= 'string' or note == ARGV[first + count + 2 * i - 2])
end

-- Returns task id -> position for the tasks to take, and how many there are. An id that is given twice counts once.
local function findWanted(first, isSure)
  local positions, wanted, count = {}, 0, tonumber(ARGV[first - 1])
  local ends = not isSure and redis.call('ZMSCORE', KEYS[2], unpack(ARGV, first, first + count - 1))
  for i = 1, count do
    local taskId = ARGV[first + i - 1]
    if not positions[taskId] and (isSure or ends[i] and isClaimed(first, i, tonumber(ends[i]))) then
      positions[taskId] = i
      wanted = wanted + 1
    end
  end
  return positions, wanted
end

-- Removes the wanted tasks from `active` and marks them as taken. Returns how many were there.
local function takeFromActive(active, positions, wanted, taken)
  local found, length = 0, redis.call('LLEN', active)
  -- Each command that removes one id searches the list. Writing the list again is faster for many ids, or if few ids
  -- remain. Measured by bench/micro/scripts.mjs.
  if length > 4000 or length * (40 - wanted) > 150 * wanted then
    for taskId, position in pairs(positions) do
      if redis.call('LREM', active, -1, taskId) == 1 then
        taken[position] = true
        found = found + 1
      end
    end
    return found
  end
  local activeIds, kept = redis.call('LRANGE', active, 0, -1), {}
  for i = 1, #activeIds do
    local position = positions[activeIds[i]]
    if position and not taken[position] then
      taken[position] = true
      found = found + 1
    else
      kept[#kept + 1] = activeIds[i]
    end
  end
  if found > 0 then
    redis.call('LTRIM', active, 0, -length - 1)
    if #kept > 0 then
      redis.call('RPUSH', active, unpack(kept))
    end
  end
  return found
end

local function takeClaimed(first)
  local active, lease, fence, count = KEYS[1], KEYS[2], ARGV[first - 2], tonumber(ARGV[first - 1])
  local isSure = tonumber(fence) ~= nil
  local taken, released = {}, {}
  for i = 1, count do
    taken[i] = false
  end
  local positions, wanted = findWanted(first, isSure)
  local found = wanted > 0 and takeFromActive(active, positions, wanted, taken) or 0
  for i = 1, count do
    local taskId = ARGV[first + i - 1]
    if taken[i] and isSure and redis.pcall('ZREM', lease, taskId) ~= 1 then
      redis.call('RPUSH', active, taskId)
      taken[i] = false
      found = found - 1
    elseif taken[i] then
      released[#released + 1] = taskId
    end
  end
  if isSure then
    -- Nothing has changed for the other tasks: a key of a wrong type stops the script here.
    redis.call('ZCARD', lease)
  elseif found > 0 then
    redis.call('ZREM', lease, unpack(released))
  end
  local told = fence == 'HELD' and 2 or fence == 'LISTED' and 1 or 0
  return taken, found, first + (1 + told) * count
end
