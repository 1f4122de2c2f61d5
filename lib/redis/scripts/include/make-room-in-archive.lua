-- make-room-in-archive: deletes archived tasks that are too old or too many before new ones are added, so that a
-- new one is never trimmed itself. To keep each call short, it deletes at most as many as are added, or 100 if that is
-- more; later calls delete the rest of an archive that others let grow. Needs release-lock and notices before it, and
-- reports ids without a task.
--
-- makeRoomInArchive(archived, taskPrefix, limits, incoming)
--   limits    cutoff: epoch seconds, members with this score or less are deleted; size: how many are kept, with the
--             new ones
--   incoming  how many are about to be added
-- A hash that names another state is kept: its id was left behind in the archive and now belongs to another task.
-- Returns how many of the tasks no longer had a hash.
local function trimArchive(archived, taskPrefix, taskIds)
  local hashes, missing = {}, 0
  -- Locks are keys of this queue; any other name would belong to another hash slot.
  local queuePrefix = string.sub(taskPrefix, 1, -3)
  for i = 1, #taskIds do
    local hash = taskPrefix .. taskIds[i]
    local fields = redis.pcall('HMGET', hash, 'state', 'unique_key')
    if fields[1] == 'archived' then
      hashes[#hashes + 1] = hash
      local lock = fields[2]
      if lock and string.sub(lock, 1, #queuePrefix) == queuePrefix then
        releaseLock(lock, taskIds[i])
      end
    elseif not fields.err and not fields[1] then
      missing = missing + 1
    end
  end
  redis.call('ZREM', archived, unpack(taskIds))
  if #hashes > 0 then
    redis.call('DEL', unpack(hashes))
  end
  return missing
end

local function makeRoomInArchive(archived, taskPrefix, limits, incoming)
  local most = math.max(incoming, 100)
  local leaving = redis.call('ZRANGEBYSCORE', archived, '-inf', limits.cutoff, 'LIMIT', 0, most)
  local excess = math.min(redis.call('ZCARD', archived) + incoming - limits.size, most)
  if excess > #leaving then
    leaving = redis.call('ZRANGE', archived, 0, excess - 1)
  end
  if #leaving > 0 then
    noteDropped('archived', trimArchive(archived, taskPrefix, leaving))
  end
end
