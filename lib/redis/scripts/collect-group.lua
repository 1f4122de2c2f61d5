-- collect-group: moves the members of a group that is ready into a new aggregation set (P-94).
--
-- KEYS[1]  group            zset   task id -> time added, epoch seconds
-- KEYS[2]  set              zset   the new set; must not exist; gets the members with their scores
-- KEYS[3]  aggregationSets  zset   full key of an aggregation set -> its deadline, epoch seconds
-- KEYS[4]  groups           set    names of groups with waiting tasks
-- ARGV[1]  name             of the group
-- ARGV[2]  now              epoch seconds, from the caller's clock
-- ARGV[3]  deadline         epoch seconds; when the set returns to its group
-- ARGV[4]  maxSize          tasks; 0 means no limit. A set gets 5,000 at most, so that no call about it takes long: what is
--                           left is collected by the next calls
-- ARGV[5]  maxDelay         seconds since the oldest was added; 0 means no limit
-- ARGV[6]  gracePeriod      seconds since the newest was added
--
-- Reply    array of a word and of when the group can be ready, epoch seconds, or '' when that is not known
--          COLLECTED    the set holds the oldest maxSize members, or all, but 5,000 at most
--          NOT_READY    nothing was written, except that the name of an empty group is no longer listed
-- Cost     O(1) for a whole group, O(M log N) for M of N members
local group, set, aggregationSets, groups = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local name, now, deadline = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local maxSize, maxDelay, gracePeriod = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

-- include: notices
-- include: write-when-full

local isWhole = isSound(group, 'zset')
if not isSound(aggregationSets, 'zset') or not isSound(groups, 'set') or not isWhole then
  return withNotices({ 'NOT_READY', '' })
end
-- What is collected here is freed when it is aggregated.
writeWhenFull(aggregationSets)
local size = redis.call('ZCARD', group)
if size == 0 then
  redis.call('SREM', groups, name)
  return { 'NOT_READY', '' }
end

local isFull = maxSize > 0 and size >= maxSize
if not isFull then
  local oldest = tonumber(redis.call('ZRANGE', group, 0, 0, 'WITHSCORES')[2])
  local newest = tonumber(redis.call('ZRANGE', group, -1, -1, 'WITHSCORES')[2])
  local readyAt = newest + gracePeriod
  if maxDelay > 0 then
    readyAt = math.min(readyAt, oldest + maxDelay)
  end
  if readyAt > now then
    return { 'NOT_READY', string.format('%.0f', math.ceil(readyAt)) }
  end
end

local most = maxSize > 0 and math.min(maxSize, 5000) or 5000
if size <= most then
  redis.call('RENAME', group, set)
  redis.call('SREM', groups, name)
else
  -- In chunks: Lua hands at most some 8,000 values to one command.
  for first = 0, most - 1, 1000 do
    local page = redis.call('ZRANGE', group, first, math.min(first + 1000, most) - 1, 'WITHSCORES')
    local members = {}
    for i = 1, #page, 2 do
      members[i], members[i + 1] = page[i + 1], page[i]
    end
    redis.call('ZADD', set, unpack(members))
  end
  redis.call('ZREMRANGEBYRANK', group, 0, most - 1)
end
redis.call('ZADD', aggregationSets, deadline, set)
return { 'COLLECTED', '' }
