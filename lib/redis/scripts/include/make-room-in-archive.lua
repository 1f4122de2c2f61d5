-- make-room-in-archive: deletes archived tasks that are too old or too many, before new ones are added, so that a
-- new one can never be trimmed itself. At most 1,000 of each go in one call, so that no call takes long; what is left,
-- because others had let the archive grow, goes with later calls. Needs release-lock before it.
--
-- makeRoomInArchive(archived, taskPrefix, limits, incoming)
--   limits    cutoff: epoch seconds, members of this score or less go; size: how many may be left with the new ones
--   incoming  how many are about to be added
local function trimArchive(archived, taskPrefix, taskIds)
  local hashes = {}
  -- Locks are the queue's own keys; a name outside of it would belong to another hash slot.
  local queuePrefix = string.sub(taskPrefix, 1, -3)
  for i = 1, #taskIds do
    hashes[i] = taskPrefix .. taskIds[i]
    local lock = redis.pcall('HGET', hashes[i], 'unique_key')
    if type(lock) == 'string' and string.sub(lock, 1, #queuePrefix) == queuePrefix then
      releaseLock(lock, taskIds[i])
    end
  end
  redis.call('ZREM', archived, unpack(taskIds))
  redis.call('DEL', unpack(hashes))
end

local function makeRoomInArchive(archived, taskPrefix, limits, incoming)
  local old = redis.call('ZRANGEBYSCORE', archived, '-inf', limits.cutoff, 'LIMIT', 0, 1000)
  if #old > 0 then
    trimArchive(archived, taskPrefix, old)
  end
  local excess = math.min(redis.call('ZCARD', archived) + incoming - limits.size, 1000)
  local oldest = excess > 0 and redis.call('ZRANGE', archived, 0, excess - 1) or {}
  if #oldest > 0 then
    trimArchive(archived, taskPrefix, oldest)
  end
end
