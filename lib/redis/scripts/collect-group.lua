-- collect-group: moves the members of a ready group into a new aggregation set (P-94).
--
-- KEYS[1]  group            zset   task id -> time added, epoch seconds
-- KEYS[2]  set              zset   the new set; must not exist; gets the members with their scores
-- KEYS[3]  aggregationSets  zset   full key of an aggregation set -> its deadline, epoch seconds
-- KEYS[4]  groups           set    names of groups with waiting tasks
-- ARGV[1]  name             of the group
-- ARGV[2]  now              epoch seconds, from the caller's clock
-- ARGV[3]  deadline         epoch seconds; when the set returns to its group
-- ARGV[4]  maxSize          tasks, with which the group is ready; 0 means no limit
-- ARGV[5]  maxDelay         seconds since the oldest was added; 0 means no limit
-- ARGV[6]  gracePeriod      seconds since the newest was added
-- ARGV[7]  collected        how many members earlier calls moved to the set; unless 0, the group is known to be ready
-- ARGV[8]  setSize          how many members the set gets at most; the next sets get the rest
--
-- Reply    array of a word and of when the group can be ready, epoch seconds, or '' when that is not known
--          COLLECTED    the set holds the oldest setSize members, or all
--          MORE         it got 1,000 of them: call again. If nobody does, they return to the group
--          NOT_READY    nothing was written, except that the name of an empty group is no longer listed
-- Cost     O(1) for a whole group, O(M log N) for M of N members, 1,000 at most
local group, set, aggregationSets, groups = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local name, now, deadline, collected = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[7])
local maxSize, maxDelay, gracePeriod = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local setSize = tonumber(ARGV[8])

-- include: notices
-- include: write-when-full

local isWhole = isSound(group, 'zset')
if not isSound(aggregationSets, 'zset') or not isSound(groups, 'set') or not isWhole then
  return withNotices({ 'NOT_READY', '' })
end
-- The memory of these tasks is freed when they are aggregated.
writeWhenFull(aggregationSets)
local size = redis.call('ZCARD', group)
if size == 0 then
  redis.call('SREM', groups, name)
  return { collected > 0 and 'COLLECTED' or 'NOT_READY', '' }
end

local isFull = maxSize > 0 and size >= maxSize
if not isFull and collected == 0 then
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

local most = setSize - collected
local isMore = false
if size <= most and collected == 0 then
  redis.call('RENAME', group, set)
  redis.call('SREM', groups, name)
else
  local count = math.min(most, 1000)
  local page, members = redis.call('ZRANGE', group, 0, count - 1, 'WITHSCORES'), {}
  for i = 1, #page, 2 do
    members[i], members[i + 1] = page[i + 1], page[i]
  end
  redis.call('ZADD', set, unpack(members))
  redis.call('ZREMRANGEBYRANK', group, 0, count - 1)
  isMore = count < most
end
redis.call('ZADD', aggregationSets, deadline, set)
return { isMore and 'MORE' or 'COLLECTED', '' }
